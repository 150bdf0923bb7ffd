//go:build race

package bus

// raceEnabled thins out what the race detector makes slow.
const raceEnabled = true
