# complete.fish FOLDER LINE: what fish offers after LINE, without the descriptions.
source $argv[1]/(string split ' ' $argv[2])[1].fish
complete -C $argv[2] | string replace -r '\t.*' ''
or true # nothing to replace is no failure
