//go:build unix

package main

import "golang.org/x/sys/unix"

// writable says why nothing can be made in a folder, without trying.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return err
	}
	return nil
}
