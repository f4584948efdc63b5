# The key manager (CMS manual): from an empty directory to letters and update files.
load helpers

SECRET=AAECAwQFBgcICQoLDA0ODw==

setup() {
	setup_common
	DB=$D/db
	(umask 077 && echo "correct horse battery" >"$D/passphrase")
	echo correct horse >"$D/open" && chmod 644 "$D/open"
	at 2026-11-21T12:00:00Z
}
teardown() { teardown_common; }

at() { # TIME: when the commands below are run
	NOW=$1
}

cms_() { # COMMAND...: with database, passphrase and clock
	cms --dir "$DB" --passphrase-file "$D/passphrase" --now "$NOW" "$@"
}

look() { # COMMAND...: those that need no passphrase
	cms --dir "$DB" --now "$NOW" "$@"
}

init() {
	cms_ init --domain "Example Ltd" --crs crs.example.net:5223 --account ACME-1 \
		--secret "$SECRET" "$@"
}

digest() { # FILE...: what the files hold, to see that it stays
	sha256sum "$@"
}

@test "CMS-011 CMS-038 CMS-047 from init to letters and updates" {
	run -0 init
	[[ $output == *"Domain:      Example Ltd"* ]]
	[ "$(stat -c %a "$DB" "$DB/cms.db" | tr '\n' ' ')" = "700 600 " ]
	run -0 cms_ user add +46706764287 "Bob Göransson"
	run -0 cms_ gateway add +8888 "Main PBX" --engines 3
	run -0 look user list
	[ "$output" = "NUMBER        NAME           GENERATION  LETTER
+46706764287  Bob Göransson  1           not made" ]
	run -0 look gateway list --json
	[[ $output == *'"engines": 3'* ]]

	run -0 cms_ letter +46706764287 --output "$D/bob"
	[ -z "$output" ]
	[ "$(stat -c %a "$D/bob")" = 600 ]
	grep -q '^Initiation letter for Bob Göransson$' "$D/bob"
	grep -qE '^01\. TAE[A-Za-z0-9+/] ([A-Za-z0-9+/]{4} ){7}: [A-Za-z0-9+/]{4}$' "$D/bob"
	run -0 cms_ letter +8888
	[[ $output == *"Gateway:     3 crypto engines"* ]]

	run -0 cms_ update --output "$D"
	[[ $output == *"2026-11.upd: revision 1, 2 users and gateways"* ]]
	[[ $output == *"2026-12.upd: revision 1, 2 users and gateways"* ]]
	[[ $output == *"SHA-256 $(sha256sum <"$D/2026-12.upd" | cut -d' ' -f1)"* ]]
	[ "$(head -c 3 "$D/2026-11.upd")" = UPD ]
	# Neither number nor name nor address stands in it in clear.
	run -1 grep -qaE '46706764287|ransson|example' "$D/2026-11.upd"

	run -0 look status
	[[ $output == *"Users:         1, gateways 1, deleted 0"* ]]
	[[ $output == *"Update 2026-12: revision 1, made 2026-11-21 12:00 UTC"* ]]
	run -0 look log
	[ "$(awk 'NR > 1 { print $3 }' <<<"$output" | tr '\n' ' ')" = \
		"init add add letter letter update update " ] # CMS-059
}

@test "CMS-011 numbers without plus and CMS-038 gateways of two engines are refused" {
	init
	before=$(digest "$DB/cms.db")
	for number in 46706764287 + +12a 00467 +1234567890123456; do
		run -1 cms_ user add "$number" Bob
		[[ $output == *"international format"* ]]
	done
	run -1 cms_ gateway add +8888 PBX --engines 2
	[[ $output == *"3 to 1000 crypto engines"* ]]
	run -1 cms_ gateway add +8888 PBX
	[[ $output == *"--engines is needed"* ]]
	run -1 cms_ user add +1 "$(printf 'two\nlines')"
	run -1 cms_ user add +1 ""
	[ "$(digest "$DB/cms.db")" = "$before" ]
	run -0 look user list --json
	[ "$output" = "[]" ]
}

@test "the same number is added once only" {
	init
	cms_ user add +1 Al
	run -1 cms_ user add +1 Bo
	[ "$output" = "cms: tel:+1 is there already" ]
	run -1 cms_ gateway add +1 PBX --engines 3
	# An edit without anything to change was forgotten in part.
	run -1 look user edit +1
	[ "$output" = "cms: nothing to change: give --name" ]
	run -0 look user edit +1 --name Bo
	run -1 look gateway delete +1
	[ "$output" = "cms: tel:+1 is a user" ]
}

@test "a passphrase is needed, the right one, from a private file" {
	init
	run -1 cms --dir "$DB" --passphrase-file "$D/open" user add +1 Al
	[[ $output == *"others may read it"* ]]
	(umask 077 && echo "another passphrase" >"$D/wrong")
	run -1 cms --dir "$DB" --passphrase-file "$D/wrong" user add +1 Al
	[ "$output" = "cms: this is not the passphrase" ]
	(umask 077 && echo "short" >"$D/short")
	run -1 cms --dir "$D/other" --passphrase-file "$D/short" init --domain E --crs c:1 --account A \
		--secret "$SECRET"
	[[ $output == *"at least 8"* ]]
	[ ! -e "$D/other/cms.db" ]
	run -0 cms_ passphrase --new-passphrase-file "$D/wrong"
	run -1 cms_ user add +1 Al
	run -0 cms --dir "$DB" --passphrase-file "$D/wrong" --now "$NOW" user add +1 Al
}

type_it() { # PROMPT TEXT...: each text when its prompt stands on the screen
	while [ $# -gt 0 ]; do
		await 20 "$1" grep -q "$1" "$D/screen" || return
		echo "$2"
		shift 2
	done
}

on_terminal() { # COMMAND PROMPT TEXT...: runs it with a terminal on which the texts are typed
	local command=$1
	shift
	rm -f "$D/screen"
	type_it "$@" | script -qefc "$command" "$D/screen" >/dev/null 2>&1
}

@test "a passphrase is typed without echo, and a new one twice" {
	needs script
	export CMS_DIR=$DB
	run -0 on_terminal "cms init --domain E --crs c:1 --account A --secret $SECRET" \
		'New passphrase: ' 'typed phrase' 'once more: ' 'typed phrase'
	run -1 grep -q 'typed phrase' "$D/screen"
	run -0 on_terminal 'cms user add +1 Al' 'Passphrase: ' 'typed phrase'
	run -1 on_terminal 'cms user add +2 Bo' 'Passphrase: ' 'typed phrasf'
	grep -q 'this is not the passphrase' "$D/screen"
	run -1 on_terminal 'cms passphrase' 'Passphrase: ' 'typed phrase' \
		'New passphrase: ' 'another one' 'once more: ' 'another two'
	grep -q 'not twice the same' "$D/screen"
	run -130 on_terminal 'trap : INT; cms user add +3 Cy; s=$?; stty -a; exit $s' 'Passphrase: ' $'\x03'
	grep -qE '(^| )echo ' "$D/screen" # and not "-echo"
	run -0 cms user list
	[[ $output == *Al* && $output != *Bo* && $output != *Cy* ]]
}

@test "no secret lies open in the database" {
	(umask 077 && echo "a secret in words" >"$D/words")
	run -0 cms_ init --domain E --crs c.example:1 --account ACME-1 --secret-file "$D/words"
	[[ $output == *"warning: the shared secret is not base64"* ]]
	run -1 grep -qa 'secret in words' "$DB/cms.db"
	run -1 grep -qa 'horse' "$DB/cms.db"
}

@test "init happens once and refuses what is not complete" {
	run -1 cms_ init --domain E --crs c.example --account A --secret "$SECRET"
	[[ $output == *'"c.example" is no address'* ]]
	run -1 cms_ init --domain E --crs c.example:1 --account a.b --secret "$SECRET"
	run -1 cms_ init --domain E --crs c.example:1 --account A
	run -1 init --max-lifetime 59m # CMS-053
	run -1 init --max-lifetime 1h --default-lifetime 2h
	[ ! -e "$DB/cms.db" ]
	init --max-lifetime 30d --default-lifetime 12h
	run -1 init
	[[ $output == *"there is a key manager already"* ]]
}

@test "others must not have access to the database" {
	init
	chmod 755 "$DB"
	run -1 look status
	[[ $output == *"chmod 700"* ]]
	chmod 700 "$DB"
	chmod 640 "$DB/cms.db"
	run -1 look status
	[[ $output == *"chmod 600"* ]]
}

@test "CMS-019 CMS-020 destroying keys raises the generation and asks for a new letter" {
	init
	cms_ user add +1 Al
	cms_ letter +1 --output "$D/al"
	run -0 cms_ user rekey +1
	[[ $output == *"generation 2"* ]]
	[[ $output == *"up to those of 2026-12, remain compromised"* ]]
	run -0 look user list
	[[ $output == *"to be made again"* ]]
	cms_ letter +1 --output "$D/al"
	run -0 look user list
	[[ $output == *"2           made"* ]]
}

@test "CMS-021 a deleted user is gone, and a new one of that number has a later generation" {
	init
	cms_ user add +1 Al
	cms_ user add +2 Bo
	cms_ letter +1 --output "$D/al"
	run -0 look user delete +1
	run -0 look user delete +2
	run -1 look user delete +2
	[ "$output" = "cms: tel:+2 is not known" ]
	run -0 look status
	[[ $output == *"Users:         0, gateways 0, deleted 1"* ]] # for +2 there was no letter
	cms_ user add +1 Al
	run -0 look user list
	[[ $output == *"+1      Al    2           not made"* ]]
}

@test "revisions rise, and the clock must not go back" {
	init
	cms_ update --output "$D"
	run -0 cms_ update --output "$D"
	[[ $output == *"2026-11.upd: revision 2, 0 users and gateways"* ]]
	at 2026-12-01T00:00:00Z
	run -0 cms_ update --output "$D"
	[[ $output == *"2026-12.upd: revision 3"* ]]
	[[ $output == *"2027-01.upd: revision 1"* ]]
	at 2026-11-01T00:00:00Z
	run -1 cms_ update --output "$D"
	[[ $output == *"set the clock"* ]]
	cms_ user add +1 Al
	run -1 cms_ letter +1
}

@test "an update that cannot be written is not counted" {
	init
	run -1 cms_ update --output "$D/missing"
	[[ $output == *"No such file or directory"* ]]
	run -0 look status
	[[ $output == *"Update 2026-11: not made"* ]]
	run -0 look status --json
	[[ $output == *'"days_left": 6'* ]] # CMS-048: three days before the month
}

@test "CMS-026 a protected letter has a QR key that comes apart from it" {
	init
	cms_ user add +1 Al
	run -0 cms_ letter +1 --qr-key --output "$D/al"
	[[ $output =~ ^"QR key: "([0-9A-F]{4}" "){7}[0-9A-F]{4}$ ]]
	grep -q '^01\. VA[EFGH]' "$D/al"
	run -1 grep -q "${output#QR key: }" "$D/al"
	run -0 --separate-stderr cms_ letter +1 --format base45
	[[ $output =~ ^[0-9A-Z\ \$%*+./:-]+$ ]]
	run -1 cms_ letter +1 --format pdf
}

@test "CMS-014 CMS-015 CMS-018 users come from a file and go to one, all or none" {
	init
	printf 'John\tDoe\t+44777666555\tProject Alpha\r\nDana\tDoe\t+44999888777\t\n' >"$D/users.txt"
	run -0 cms_ user import "$D/users.txt"
	[ "$output" = "2 users imported" ]
	run -0 look user list
	[[ $output == *"+44999888777  Dana Doe  1"* ]]
	run -0 look user export --output "$D/out.txt"
	[ "$(cat "$D/out.txt")" = "$(tr -d '\r' <"$D/users.txt")" ]
	printf 'Bob\t\t+1\t\nO;Neil\tX\t+2\t\nAl\t\t3\t\nJohn\tDoe\t+44777666555\t\n' >"$D/bad.txt"
	run -1 cms_ user import "$D/bad.txt"
	[[ $output == *"bad.txt:2: names and comments may not contain"* ]]
	[[ $output == *"bad.txt:3: the number must be in international format"* ]]
	[[ $output == *"bad.txt:4: tel:+44777666555 is there already"* ]]
	run -0 look user list
	[[ $output != *Bob* ]]
	cp "$D/users.txt" "$D/users.csv"
	run -1 cms_ user import "$D/users.csv"
	run -1 look user export --output "$D/out.txt"
}

@test "CMS-033 users join channels and leave them, all that are named or none" {
	init
	cms_ user add +1 Al
	cms_ user add +2 Bo
	cms_ gateway add +8888 PBX --engines 3
	run -0 look channel add "Board Room"
	run -1 look channel add "Board Room"
	run -1 look channel join "Board Room" +1 +3
	[ "$output" = "cms: tel:+3 is not known" ]
	run -0 look channel list
	[[ $output == *"Board Room  0        urn:uuid:"* ]]
	run -1 look channel join "Board Room" +8888
	run -0 look channel join "Board Room" +1 +2
	run -0 look channel leave "Board Room" +1
	run -0 look channel list --json
	[[ $output == *'"tel:+2"'* && $output != *'"tel:+1"'* ]]
	run -0 cms_ update --output "$D"
	run -1 grep -qa Board "$D/2026-11.upd" # CMS-032
	run -0 look channel delete "Board Room"
	run -1 look channel delete "Board Room"
	run -2 look channel join "Board Room"
}

@test "CMS-041 CMS-042 CMS-044 CMS-046 two domains come to trust each other" {
	init
	run -0 look certificate
	fingerprint=$(sed -n 's/^  Fingerprint: //p' <<<"$output")
	rows=$(grep -E '^[0-9]+\.' <<<"$output")
	run -1 look domain add - --confirm "${fingerprint: -4}" <<<"$rows"
	[[ $output == *"certificate of the own domain"* ]]
	DB=$D/second
	cms_ init --domain "Friends" --crs other.example:5223 --account B --secret "$SECRET"
	# A row with a fault must be typed again before the next.
	run -0 look domain add - --confirm "${fingerprint: -4}" \
		< <(sed '2{h;s/ : .*/ : xxxx/p;g}' <<<"$rows")
	[[ $output == *"row 2 is not right"* ]]
	[[ $output == *"Domain:      Example Ltd"* ]]
	[[ $output == *"Fingerprint: $fingerprint"* ]]
	run -0 look domain list
	[[ $output == *"Example Ltd  ${fingerprint:0:39}  2026-11-21 12:00"* ]]
	run -0 cms_ update --output "$D"
	run -0 look domain delete "Example Ltd"
	run -1 look domain delete "Example Ltd"
	head -n 3 <<<"$rows" >"$D/cut"
	run -1 look domain add - --confirm "${fingerprint: -4}" <"$D/cut"
	[[ $output == *"ends before its last row"* ]]
	echo "$rows" >"$D/certificate"
	run -1 look domain add "$D/certificate" --confirm 0
	[[ $output == *"not the last group"* ]]
	run -1 look domain add "$D/certificate" </dev/null
	[[ $output == *"--confirm"* ]]
	run -0 look domain list --json
	[ "$output" = "[]" ]
}

scan() { # FILE: what a scanner reads from the code on the screen
	sed 's/\x1b\[[0-9;]*m//g; s/█/B/g; s/▀/U/g; s/▄/L/g' "$1" | awk '
		{ line[NR] = $0 }
		END {
			printf "P1 %d %d\n", 4 * length(line[1]), 8 * NR
			for (i = 0; i < 8 * NR; i++) {
				row = line[int(i / 8) + 1]; half = i % 8 >= 4 ? "L" : "U"
				for (x = 1; x <= length(row); x++) {
					c = substr(row, x, 1); dark = c == "B" || c == half
					printf "%d %d %d %d ", dark, dark, dark, dark
				}
				print ""
			}
		}' >"$D/code.pbm"
	zbarimg --quiet --raw "$D/code.pbm" 2>/dev/null
}

@test "CMS-022 the QR code on the screen can be scanned" {
	needs zbarimg
	init
	look certificate --format qr >"$D/screen"
	run -0 scan "$D/screen"
	code=$output
	run -0 look certificate --format base45
	[ "$code" = "$output" ]
	cms_ user add +1 Al
	cms_ letter +1 --qr-key --format qr >"$D/screen" 2>"$D/key"
	run -0 scan "$D/screen"
	[[ $output =~ ^[0-9A-Z\ \$%*+./:-]{1000,1700}$ ]]
}

@test "CMS-008 a restored key manager goes on far above what was given out" {
	init
	cms_ user add +1 Al
	cms_ letter +1 --output "$D/al"
	cms_ update --output "$D"
	run -0 look backup "$D/backup"
	[ "$(stat -c %a "$D/backup")" = 600 ]
	run -1 look backup "$D/backup"
	run -1 look restore "$D/backup"
	DB=$D/second
	run -0 look restore "$D/backup"
	run -0 cms_ update --output "$D"
	[[ $output == *"2026-11.upd: revision 102, 1 users"* ]]
	run -0 cms_ user rekey +1
	[[ $output == *"generation 102"* ]]
	cms_ user add +2 Bo
	run -0 look user list
	[[ $output == *"+2      Bo    101 "* ]]
	echo nonsense >"$D/nonsense"
	DB=$D/third
	run -1 look restore "$D/nonsense"
	[ ! -e "$D/third/cms.db" ]
}

@test "usage errors have status 2 and say what was expected" {
	run -2 cms
	[[ $output == *"usage: cms"* ]]
	run -0 cms --help
	[[ $output == *"letter +NUMBER"* ]]
	run -2 look usr list
	[[ $output == *'did you mean "user"'* ]]
	run -2 look user lits
	[[ $output == *'did you mean "list"'* ]]
	run -2 look user add +1
	[ "$output" = "cms: usage: cms user add +NUMBER NAME" ]
	run -2 look status --qr-key
	[[ $output == *"--qr-key does not go with this command"* ]]
	run -2 look --nonsense
	run -1 look status
	[[ $output == *'"cms init" makes it'* ]]
}
