# etc/: what goes with the programs on a host
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/bash-completion/cig-cli %D%/bash-completion/crs-cli
EXTRA_DIST += %D%/logrotate/cig %D%/logrotate/crs %D%/notify.sh
