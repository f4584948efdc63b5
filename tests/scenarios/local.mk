# scenarios: whole programs, run by ./check with bats
EXTRA_DIST += tests/packages.txt \
	%D%/run \
	%D%/helpers.bash \
	%D%/lab.bash \
	%D%/phone.bash \
	%D%/sipp.bash \
	%D%/talk.bash \
	%D%/garbage.py \
	%D%/rude_sip.py \
	%D%/sip_ask.py \
	%D%/relay_figures.py \
	%D%/sip_text.py \
	%D%/wire_figures.py \
	%D%/kamailio.cfg \
	%D%/sipp/uac_gives_up.xml \
	%D%/sipp/uac_offers_late.xml \
	%D%/sipp/uac_proves.xml \
	%D%/sipp/uac_speaks.xml \
	%D%/sipp/uac_timers.xml \
	%D%/sipp/uas_timers.xml \
	%D%/sipp/uas_answers.xml \
	%D%/sipp/uas_early.xml \
	%D%/sipp/uas_hangs_up.xml \
	%D%/sipp/uas_refuses.xml \
	%D%/sipp/uas_rings.xml \
	%D%/calls.bats \
	%D%/cig_cli.bats \
	%D%/failures.bats \
	%D%/pbx.bats \
	%D%/strangers.bats \
	%D%/trunk.bats \
	%D%/texts.bats \
	%D%/wires.bats \
	%D%/create_cig_maildir.bats \
	%D%/etc.bats
EXTRA_DIST += %D%/cms.bats
EXTRA_DIST += %D%/docs.bats
EXTRA_DIST += %D%/seeing.bats %D%/hep.py
EXTRA_DIST += %D%/install.bats tests/package/try tests/package/common.bash \
	tests/package/asking.bash tests/package/boot tests/package/boot.bats \
	tests/package/machine.bash tests/package/upgrade.bats
EXTRA_DIST += %D%/bad_input.bats
EXTRA_DIST += %D%/faults.bats
EXTRA_DIST += %D%/promises.bats %D%/crs_cli.bats %D%/crs_day.bats %D%/outsider.bats %D%/outsider.py %D%/updates.bats %D%/durable.bats %D%/watch_new.py
EXTRA_DIST += %D%/sip_message.bats
EXTRA_DIST += %D%/security.bats
EXTRA_DIST += %D%/smpp.bats %D%/smsc.bash \
	tests/peers/package.json tests/peers/package-lock.json tests/peers/smsc.js
EXTRA_DIST += %D%/mailboxes.bats %D%/mail_corpus.py %D%/texts_kill.bats
EXTRA_DIST += %D%/examples.bats
EXTRA_DIST += %D%/load.bats
EXTRA_DIST += %D%/domains.bats %D%/foreign.bats %D%/peers.bash
EXTRA_DIST += %D%/names.bats
EXTRA_DIST += %D%/ipv6.bats
EXTRA_DIST += %D%/channels.bats
EXTRA_DIST += %D%/callers.bash %D%/crs_operator.bats %D%/crs_upgrade.bats
EXTRA_DIST += %D%/restore.bats
EXTRA_DIST += %D%/odd.bats %D%/odd_callers.py %D%/odd_callees.py %D%/odd_caller.py %D%/odd_offers.py %D%/sip_party.py
EXTRA_DIST += %D%/manual_trunk.bats %D%/provider.py
EXTRA_DIST += %D%/devices.bats
