# docs.bats - what the documents say is so.

load helpers

setup() { setup_common; }
teardown() { teardown_common; }

@test "manual pages are well formed" {
	needs man
	local page
	for page in "$TOP"/docs/man/*; do
		echo "${page##*/}"
		[ -z "$(MANWIDTH=80 man --warnings -l "$page" 2>&1 >/dev/null)" ]
	done
}

options_of() { # PROGRAM: the long options of its usage
	"$1" --help 2>&1 | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

@test "manual pages name every option that a program prints" {
	local program option page
	for program in cig-server cig-relay cig-cli create_cig_maildir cca cms cra crs crs-cli crs-relay; do
		page=$(find "$TOP/docs/man" -name "$program.[1-8]")
		[ -n "$page" ]
		[ -n "$(options_of "$program")" ]
		for option in $(options_of "$program"); do
			# test builds take a clock, which installed programs do not have
			[ "$option" = --now ] && continue
			grep -qE -- "Fl ([a-z] , )?${option#-}( |$)|, ${option#-}( |$)" "$page" || {
				echo "$program: $option is not in ${page##*/}"
				false
			}
		done
	done
}

# STATUS WORDS... | what a line of it says
slips() {
	cat <<-'S'
		2 cig-server extra | cig-server: unexpected "extra"; see cig-server --help
		2 cig-server --nonsense | see cig-server --help
		2 cig-relay | cig-relay: --run-dir is missing
		2 cig-relay --run-dir . extra | cig-relay: unexpected "extra"; see cig-relay --help
		2 cig-cli stauts | did you mean "status"?
		1 cig-cli --address 127.0.0.1:9 reload | cig-cli: cig-server is not running on 127.0.0.1:9
		2 crs extra | crs: unexpected "extra"; see crs --help
		2 crs-relay extra | crs-relay: unexpected "extra"; see crs-relay --help
		2 crs-relay --listen nowhere | --listen: expected ADDRESS or ADDRESS:PORT
		1 crs-relay --root . --log nowhere/relay.log | log file nowhere/relay.log: No such file
		2 crs-cli shw | did you mean "show"?
		2 crs-cli show atach | did you mean "show attach"?
		2 crs-cli stats | crs-cli stats export ACCOUNT
		2 crs-cli show attach --root | crs-cli: --root lacks its value
		2 cra --server 127.0.0.1 --admin olga accounts | cra: --secret-file is missing
		2 cra --server 127.0.0.1 --admin olga --secret-file x acounts | cra: "acounts" is no action
		1 cra --server 127.0.0.1 --admin olga --secret-file x apply acme no.upd | cra: no.upd: No such file
		2 cms stauts | did you mean "status"?
		2 cms foo | unknown command "foo"; see cms --help
		2 cca foo | unknown command "foo"; see cca --help
		2 cca call --play nothing.wav +8888 | cca: nothing.wav: No such file or directory
		2 create_cig_maildir | usage: create_cig_maildir
	S
}

@test "a slip is told in a few lines: what was wrong, and what to do next" {
	local status_wanted words says line
	cd "$D"
	while read -r line; do
		says=${line#* | } words=${line% | *}
		read -r status_wanted words <<<"$words"
		echo "$words: $says"
		# shellcheck disable=SC2086 # words it is
		run "-$status_wanted" $words
		[[ $output == *"$says"* ]]
		[ "${#lines[@]}" -le 9 ]
	done < <(slips)
}

@test "--root may be a path from where one is" {
	mkdir "$D/crs"
	cd "$D"
	run -1 crs --root crs -n
	[[ ${lines[0]} == "$D/crs/crs.conf: error: cannot read"* ]]
	run -1 crs-cli --root crs show attach
	[ "$output" = "crs-cli: crs is not running on $D/crs/run/crs.sock: No such file or directory" ]
}

@test "every program tells its version, what it does, and its exit status" {
	local program
	for program in cig-server cig-relay cig-cli create_cig_maildir cca cms cra crs crs-cli crs-relay; do
		run -0 "$program" --version
		[[ $output == "$program "[0-9]* ]]
		run -0 "$program" --help
		[[ $output == "usage: $program"* ]]
		grep -qi '^exit status: 0' <<<"$output"
	done
}

@test "the configurations in README and samples are accepted, and route as the text says" {
	run -0 cig-cli read "$TOP/etc/cig.conf.sample"
	awk '/^    \/\/ Secure callers dial/ { on = 1 } on && /^[^ ]/ { exit } on' "$TOP/README.md" >"$D/cig.conf"
	chmod 600 "$D/cig.conf"
	run -0 cig-cli read "$D/cig.conf"
	[[ $output != *warning* ]]
	run -0 cig-cli route --config "$D/cig.conf" 'tel:+8888;101' tel:+46701234567
	[[ $output == *"sip:101@pbx.example.com"*"sip:46701234567@secure.example.com"* ]]
	run -0 cig-cli route --config "$D/cig.conf" sip:946701234567@192.168.1.1 sip:101@pbx.example.com
	[[ $output == *"tel:+46701234567"*"tel:+8888;101"* ]]
}

@test "CIG-017: whoever sets a gateway up is told that the PBX side is in clear" {
	grep -q "On the PBX's side everything is in clear, so that network must be one that you trust" "$TOP/README.md"
	grep -qi 'clear text: take care where it reaches the PSTN' "$TOP/etc/cig.conf.sample"
	grep -q 'SIP trunk in clear text' "$TOP/docs/man/cig-server.8"
}

@test "the worked examples in cig.conf(5) are accepted without a warning" {
	local n=0 file
	mkdir "$D/conf.d"
	local account
	for account in branch provider smsc; do
		echo 'secret' >"$D/$account.secret"
		chmod 600 "$D/$account.secret"
	done
	# Between .Bd and .Ed behind EXAMPLES, each a whole file, but for the texts: they stand beside
	# the first.
	awk -v dir="$D" '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh DIAG/ { on = 0 }
		on && /^\.Bd/ { file = sprintf("%s/%d.conf", dir, ++n); next } /^\.Ed/ { file = "" }
		file { print >file }' "$TOP/docs/man/cig.conf.5"
	cat "$D/1.conf" >>"$D/4.conf"
	for file in "$D"/*.conf; do
		chmod 600 "$file"
		run -0 cig-cli read "$file"
		[[ $output != *warning* ]] || { echo "$output"; false; }
		n=$((n + 1))
	done
	[ "$n" -ge 4 ]
}

@test "links between the documents lead somewhere" {
	local file target anchor
	for file in README.md docs/*.md; do
		while read -r target; do
			anchor=${target#*#}
			[ "$anchor" != "$target" ] || anchor=
			target=${target%%#*}
			target=$TOP/$(dirname "$file")/${target:-$(basename "$file")}
			[ -e "$target" ] || { echo "$file: $target"; false; }
			[ -z "$anchor" ] || sed -n 's/^##* //p' "$target" | tr 'A-Z ' 'a-z-' | tr -d ',.:()' | grep -qxF -- "$anchor" ||
				{ echo "$file: #$anchor"; false; }
		done < <(cd "$TOP" && grep -oE '\]\([^)]*\)' "$file" | sed 's/^](//; s/)$//' | grep -v '^http')
	done
}

@test "docs/umsg.md has the schema as it is compiled, and names no frame, field or code that is not in it" {
	local word
	diff <(sed -n '/^```proto$/,/^```$/p' "$TOP/docs/umsg.md" | sed '1d;$d') \
		<(sed '/^\/\/ ---- kept by a sender/,$d' "$TOP/umsg/umsg.proto" | sed '$d')
	sed '/^```proto$/,$d' "$TOP/docs/umsg.md" >"$D/page"
	grep -oE '\b[A-Z]{2,}_[A-Z_]*[A-Z]\b' "$D/page" | sort -u >"$D/codes"
	[ "$(wc -l <"$D/codes")" -ge 10 ]
	while read -r word; do
		grep -q "$word\b" "$TOP/umsg/umsg.proto" || { echo "$word"; false; }
	done <"$D/codes"
	grep -oE '`[A-Z][A-Za-z]+[.{][a-z_, ]+' "$D/page" | tr -d '`' >"$D/fields"
	[ "$(wc -l <"$D/fields")" -ge 20 ]
	while IFS='.{' read -r frame names; do
		sed -n "/^message $frame {/,/^}/p" "$TOP/umsg/umsg.proto" >"$D/frame"
		[ -s "$D/frame" ]
		for word in ${names//,/ }; do
			grep -qE "\b$word = [0-9]+" "$D/frame" || { echo "$frame has no $word"; false; }
		done
	done <"$D/fields"
}

@test "docs/key-management.md has the schemas of letters and update files as they are compiled" {
	diff <(sed -n '/^```proto$/,/^```$/p' "$TOP/docs/key-management.md" | grep -v '^```') \
		<(cat "$TOP/keys/letter.proto" "$TOP/keys/update.proto")
}

@test "files and folders that the documents name are there" {
	local file word
	for file in "$TOP"/README.md "$TOP"/docs/*.md; do
		while read -r word; do
			[ -n "$(cd "$TOP" && git ls-files "$word" "*/$word" 2>/dev/null || find . -path "*/$word")" ] ||
				{ echo "${file##*/}: $word"; false; }
		done < <(grep -oE '`[A-Za-z0-9_./-]+\.(c|h|proto|bats|py|mk|bash)`' "$file" | tr -d '`' | grep -v '^_')
	done
}

@test "every package that is installed has its reason" {
	local package
	while read -r _ package; do
		grep -qF "\`$package\`" "$TOP/docs/dependencies.md" || { echo "$package"; false; }
	done < <(grep -v '^#' "$TOP/tests/packages.txt")
}

@test "every test that docs/security.md names is there" {
	local file name missing=0
	while IFS= read -r file; do
		name=${file#*: } file=${file%%: *}
		case $file in
		*.bats) grep -qF "@test \"$name\"" "$TOP/tests/scenarios/$file" ;;
		*) grep -qE "^static void $name\(" "$TOP"/tests/*/"$file" ;;
		esac || { echo "$file: $name"; missing=1; }
	done < <(grep -oE '`[a-z0-9_]+\.(bats|c): [^`]+`' "$TOP/docs/security.md" | tr -d '`')
	[ "$missing" -eq 0 ]
	while IFS= read -r file; do
		[ -e "$TOP/tests/fuzz/$file.c" ] || { echo "$file"; missing=1; }
	done < <(grep -oE '`fuzz_[a-z_]+`' "$TOP/docs/security.md" | tr -d '`' | sort -u)
	[ "$missing" -eq 0 ]
	# and the other way: no target that the table forgets
	for file in "$TOP"/tests/fuzz/fuzz_*.c; do
		file=${file##*/}
		grep -qF "\`${file%.c}\`" "$TOP/docs/security.md" || { echo "$file"; missing=1; }
	done
	[ "$missing" -eq 0 ]
}

@test "every fuzz target has a corpus and a dictionary" {
	local file name
	for file in "$TOP"/tests/fuzz/fuzz_*.c; do
		name=${file##*/fuzz_} name=${name%.c}
		[ -n "$(ls -A "$TOP/tests/fuzz/corpus/$name")" ]
		grep -q '^"' "$TOP/tests/fuzz/dict/$name.dict"
	done
}
