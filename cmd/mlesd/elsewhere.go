package main

import "runtime"

// elsewhere lists what the gateway does without on a system that is not Linux, for its log; nil: nothing.
func elsewhere(goos string) (without []string) {
	if goos == "linux" {
		return nil
	}
	without = []string{
		"the machine's memory is not looked up: --memory-limit is 1GiB unless given",
		"the limit on file descriptors is not looked up: --max-connections is 10000 unless given",
		"who takes the uid of a v1 client that has vanished is refused until TCP gives that one up, within 15 minutes",
		"systemd is not spoken to",
	}
	if goos == "windows" {
		without = append(without, "there is no SIGHUP: mlesctl reload is for that", "a waiting connection has a buffer of its own, so that many take more memory")
	}
	return without
}

// tellElsewhere logs it, once.
func (d *daemon) tellElsewhere() {
	if without := elsewhere(runtime.GOOS); without != nil {
		d.log.Info("this system is not Linux", "without", without)
	}
}
