// Package manual writes what is installed beside a command, from kong's model of its flags, so that none of it is
// written twice: the manual page, completions for bash, zsh and fish, and a file with every setting for --config.
//
// A command has it by a hidden flag of type [Generate], to which kong binds what only people can tell, a [Text]:
//
//	var line struct {
//		Generate manual.Generate `hidden:"" placeholder:"FORM"`
//	}
//	kong.New(&line, kong.Bind(manual.Text{Section: 8, Roff: roff}))
//
// It is our own since what there is for kong was last changed in 2022 (alecthomas/mango-kong, jotaen/kong-completion) or
// makes completions that run the command at each press of Tab (kongplete).
package manual
