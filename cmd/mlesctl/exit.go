package main

import (
	"errors"
	"fmt"
)

// What mlesctl tells the shell. --help lists them, scripts rely on them.
const (
	exitOK          = 0
	exitUnsatisfied = 1 // what was asked for did not happen, or the connection was lost for good
	exitUsage       = 2 // the command line or a file it names does not fit
	exitUnreachable = 3 // no Mles server could be reached at the address
	exitRefused     = 4 // the server refused the uid, the channel or the key
	exitUnknown     = 5 // the question cannot be answered
)

// failure is an error that knows which status mlesctl ends with because of it.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func unsatisfied(format string, args ...any) error {
	return &failure{exitUnsatisfied, fmt.Errorf(format, args...)}
}

func usage(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

func unreachable(format string, args ...any) error {
	return &failure{exitUnreachable, fmt.Errorf(format, args...)}
}

func refused(format string, args ...any) error {
	return &failure{exitRefused, fmt.Errorf(format, args...)}
}

// errSaid is a failure that the output has told of.
var errSaid = errors.New("said before")

// said ends with a status of which the output has told.
func said(code int) error {
	if code == exitOK {
		return nil
	}
	return &failure{code, errSaid}
}

// status is what mlesctl ends with after err.
func status(err error) int {
	if err == nil {
		return exitOK
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	return exitUnsatisfied
}

// isRefusal tells whether a server said no, rather than was not there.
func isRefusal(err error) bool { return status(err) == exitRefused }
