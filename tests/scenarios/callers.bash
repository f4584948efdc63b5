# callers.bash - a lab with three callers, Alice, Bob and Carol, for all tests of a file.
# Load helpers and lab first.

ALICE=+46701234567 BOB=+46707654321 CAROL=+46703333333
LAB_USERS=($ALICE $BOB $CAROL)

setup_file() {
	lab_setup_file
	lab_enrol $BOB
	lab_enrol $CAROL
}

teardown_file() {
	lab_teardown_file
}

attached() { # NUMBER
	lab_crs_cli --json show attach | jq -e --arg uri "tel:$1" 'any(.uri == $uri)'
}

not_attached() { # NUMBER
	! attached "$1"
}
