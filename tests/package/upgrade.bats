# upgrade.bats - packages of an earlier version, at work, and then those of this one.  tests/package/boot
# --from runs this instead of boot.bats: of the earlier version no more is asked than what has to be
# there for an upgrade, by words that it knew.  The tests go on where the one before ended.

load ../scenarios/helpers
load machine
load asking

@test "an earlier version is installed and at work, with keys and clients" {
	run -0 on sh -c 'apt-get -q -y --no-install-recommends install /srv/first/*.deb'
	on systemctl disable --now firewalld # its services are boot.bats's
	run -0 on crs-cli create sharedSecret
	on sed -i "s|^key .*|key ${lines[-1]##* }|" /opt/crs/crs.conf
	run -0 on systemctl enable --now crs_relay crs
	await 20 "the rendezvous" crs_well
	domain_made
	on sh -c 'for file in /srv/cms/*.upd; do
		install -o crsuser -m 600 $file /opt/crs/data/ && crs-cli apply /opt/crs/data/${file##*/} || exit; done'
	local user
	for user in alice bob carol; do
		on cp /srv/cms/$user /srv/$user.letter
		run -0 far cca --store /srv/$user enrol /srv/$user.letter
	done
	gateway_made
	await 30 "the gateway" cig_well
	far timeout 30 cca --store /srv/alice send "+8888;101" "of the earlier version"
}

@test "CRS-127 CRS-129 CIG-053: an upgrade from there with a call up: the services are new and go on, data stay" {
	upgrade_under_a_call
}

@test "CIG-053: what the earlier version wrote is read: keys, configuration, mailboxes, what clients have" {
	run -0 on sh -c 'cat /opt/cig/userdata/mail/out/new/*'
	[[ $output == *'of the earlier version'* ]]
	calls_the_pbx
	run -0 far timeout 30 cca --store /srv/alice send --receipt "+8888;101" "of the later version"
	[[ $output == *delivered* ]]
	run -0 on crs-cli health-check account demo
	on sh -c 'cd /srv/cms && cms --dir data --passphrase-file phrase user add +46705555555 Dora &&
		cms --dir data --passphrase-file phrase update && for file in *.upd; do crs-cli apply $file || exit; done'
	has_text "by the newer update"
}

@test "CRS-012 CIG-006: after a restart of the machine everything of the later version is up" {
	machine_off
	machine_boot "$BOOT_ROOT" "$BOOT_NAME" "$BATS_FILE_TMPDIR/machine"
	active crs crs_relay cig-relay cig-server
	await 20 "the rendezvous" crs_well
	await 30 "the gateway" cig_well
	has_text "after the night"
}

@test "CRS-010 CIG-048: its removal ends the services" {
	removal_ends_all
}
