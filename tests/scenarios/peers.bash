# peers.bash - other security domains on the lab's rendezvous, each with its key manager, and
# the certificates that they give each other.  Load helpers and lab first.
#
# A domain is named by its account; $LAB_ACCOUNT is that of the lab.

domain_cms() { # ACCOUNT COMMAND...: its key manager
	if [ "$1" = "$LAB_ACCOUNT" ]; then
		lab_cms "${@:2}"
	else
		cms --dir "$D/cms-$1" --passphrase-file "$D/passphrase" "${@:2}"
	fi
}

domain_updates() { # ACCOUNT: where its update files are
	[ "$1" = "$LAB_ACCOUNT" ] && echo "$D/updates" || echo "$D/updates-$1"
}

peer_domain() { # ACCOUNT NAME [NUMBER...]: with these users, whose letters are in $D/letters
	local number
	mkdir -p -m 700 "$D/updates-$1"
	domain_cms "$1" init --domain "$2" --crs "127.0.0.1:$LAB_CRS_PORT" --account "$1" \
		--secret-file "$D/secret" || return
	for number in "${@:3}"; do peer_user "$1" "$number" || return; done
	lab_crs_cli create account "$1" -s "$(cat "$D/secret")" || return
	publish "$1"
}

peer_user() { # ACCOUNT NUMBER
	domain_cms "$1" user add "$2" "User $2" && domain_cms "$1" letter "$2" --output "$D/letters/$2"
}

publish() { # ACCOUNT...: their next updates, in force
	local account file
	for account; do
		rm -f "$(domain_updates "$account")"/*.upd
		domain_cms "$account" update --output "$(domain_updates "$account")" || return
		for file in "$(domain_updates "$account")"/*.upd; do
			lab_crs_cli apply "$file" || return
		done
	done
}

trust() { # FROM TO: the certificate of the first domain goes to the key manager of the second
	local text fingerprint
	text=$(domain_cms "$1" certificate)
	fingerprint=$(sed -n 's/^  Fingerprint: //p' <<<"$text")
	grep -E '^[0-9]+\.' <<<"$text" >"$D/certificate"
	domain_cms "$2" domain add "$D/certificate" --confirm "${fingerprint: -4}"
}

domain_id_of() { # ACCOUNT: 32 hexadecimal digits
	domain_cms "$1" certificate | sed -n 's/^  Fingerprint: //p' | tr -d ' ' | tr A-F a-f | cut -c -32
}

listener() { # NUMBER [OPTIONS]: a caller that prints messages, in $T/NUMBER
	start "$T/$1" cca --store "$D/$1" listen "${@:2}"
	await 15 "$1 to be attached" in_log "$T/$1" '^attached'
}
