# complete.bash FOLDER LINE: what bash offers after LINE.
line=$2
command=${line%% *}
source "$1/$command.bash"
read -ra COMP_WORDS <<<"$line"
[[ $line == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"_$command"
printf '%s\n' "${COMPREPLY[@]}"
