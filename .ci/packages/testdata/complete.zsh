# complete.zsh FOLDER LINE: what zsh offers after LINE. zsh completes at a prompt only, so there is one on a terminal of
# its own, on which a key lists what compadd is given.
emulate -L zsh
zmodload zsh/zpty
command=${2%% *}
folder=$(mktemp -d)
trap 'rm -rf $folder' EXIT
cp "$1/$command.zsh" "$folder/_$command"
zpty shell zsh -f -i
zpty -w shell "PROMPT=; unset zle_bracketed_paste; stty cols 200 rows 100; fpath=($folder \$fpath); autoload -U compinit; compinit -u -D"
zpty -w shell 'LISTMAX=0; setopt no_auto_menu no_list_beep; zstyle ":completion:*" verbose no; bindkey "^I" expand-or-complete; bindkey "^B" list-choices; echo READ""Y'
zpty -r -m shell seen '*READY*'
zpty -w -n shell "$2"$'\t'$'\x02'
sleep 0.7
zpty -w -n shell $'\x15'
zpty -w shell 'echo DO""NE'
offered=
while zpty -r shell part; do
	offered+=$part
	[[ $offered == *DONE* ]] && break
done
zpty -d shell
print -r -- "${offered%%DONE*}" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g'
