// Package floor is the machine's own speed: a server that copies what one
// connection sends to the others of its channel, without frames, checks, queues,
// or history, one write for each read and subscriber.
//
// What a real server does in the same run, on the same machine, with as many bytes
// a message, is told as a ratio to it.
//
// [Serve] serves on listeners of the caller's; [Start] starts a process of its
// own, whose CPU and memory can then be told apart, and [Main] is that process.
package floor
