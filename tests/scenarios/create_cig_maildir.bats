# The script that makes mailboxes (CIG manual, "Mailboxes").
load helpers

setup() { setup_common; }
teardown() { teardown_common; }

modes() { # DIRECTORY: mode and group of the folders, sorted
	(cd "$1" && stat -c '%a %G %n' . new cur tmp .failed)
}

@test "CIG-059 CIG-070 a mailbox has its folders, group and modes" {
	group=$(id -gn)
	umask 077
	run -0 create_cig_maildir --group "$group" "$D/box"
	[ -z "$output" ]
	run -0 modes "$D/box"
	[ "$output" = "2770 $group .
2770 $group new
2770 $group cur
2770 $group tmp
2770 $group .failed" ]
	echo hello >"$D/box/new/kept"
	run -0 create_cig_maildir --group "$group" "$D/box"
	[ "$(cat "$D/box/new/kept")" = hello ]
}

@test "CIG-059 a relative or unsafe path is refused and nothing is made" {
	group=$(id -gn)
	cd "$D"
	run -1 create_cig_maildir --group "$group" box
	[[ $output == *"box is not an absolute path"* ]]
	run -1 create_cig_maildir --group "$group" "$D/../${D##*/}/box"
	run -1 create_cig_maildir --group "$group" "$D/missing/box"
	[[ $output == *"missing: No such file or directory"* ]]
	mkdir "$D/full" && touch "$D/full/thesis"
	run -1 create_cig_maildir --group "$group" "$D/full"
	[[ $output == *"exists and is not a mailbox"* ]]
	[ ! -e "$D/box" ]
	[ ! -e "$D/full/new" ]
}

@test "CIG-059 a group that is missing is named" {
	run -1 create_cig_maildir --group no-such-group "$D/box"
	[[ $output == *"there is no group no-such-group"* ]]
	[ ! -e "$D/box" ]
	if ! getent group cigmail; then
		run -1 create_cig_maildir "$D/box"
		[[ $output == *"groupadd --system cigmail"* ]]
	fi
}

@test "create_cig_maildir tells how it is used" {
	run -2 create_cig_maildir
	[[ $output == "usage: create_cig_maildir"* ]]
	run -2 create_cig_maildir --nonsense "$D/box"
	run -0 create_cig_maildir --help
	[[ $output == *"Exit status"* ]]
}
