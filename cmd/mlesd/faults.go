package main

import "fmt"

// faults are all that does not fit in a configuration, in the order it was found. A start and a reload say the first
// one, --check all of them.
type faults []error

// add appends err, or each one of it if it is faults itself; nil is none.
func (f *faults) add(err error) {
	if u, ok := err.(*usageError); ok {
		err = u.err
	}
	switch err := err.(type) {
	case nil:
	case faults:
		*f = append(*f, err...)
	default:
		*f = append(*f, err)
	}
}

// when appends a fault if wrong.
func (f *faults) when(wrong bool, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// err is nil where there is no fault.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &usageError{f}
}

func (f faults) Error() string {
	if len(f) == 1 {
		return f[0].Error()
	}
	return fmt.Sprintf("%v (and %d more: mlesd --check tells all)", f[0], len(f)-1)
}

// Unwrap is for errors.Is and errors.As.
func (f faults) Unwrap() []error { return f }
