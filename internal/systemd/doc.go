// Package systemd is what a service and systemd have to say to each other: that the service is ready, reloads, stops
// and still works (sd_notify), and which sockets systemd listens at for it (socket activation). Without systemd nothing
// of it happens. It is github.com/coreos/go-systemd, less what a daemon with listeners of its own must not do with it.
package systemd
