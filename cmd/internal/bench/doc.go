// Package bench measures servers that carry messages from publishers to the
// subscribers of channels: those that speak Mles, their peers of other protocols,
// and a floor, which only copies bytes.
//
// # Tour
//
// A [Plan] says what is measured ([Mode]), how much of it ([Load]), and whom
// ([Contestant], which has a [Target] for publishers and one for subscribers).
// [Run] runs all contestants in turn, as often as asked for, and returns a
// [Report]: for each contestant every metric's median, lowest and highest, and the
// ratio of the first one's to it, run by run. The report is written as a table,
// as JSON, as Markdown or as a plot.
//
// One run is a trial: it opens connections on channels of its own, makes sure by
// probes that everybody is there, starts the clock, and ends when the last message
// has come. A dialect is a wire, which says how one joins, what a message looks like
// when it is published, and how to find messages in what is received.
//
// # What is counted
//
// Only what was received and was right: each message has a tag of its trial, its
// publisher and its number, and each subscriber expects all numbers of its channel's
// publishers, in order and once. One message of 64 is compared byte for byte.
//
// # What it costs
//
// The generator shares the machine with the server, so it must be much cheaper.
// A publisher stamps numbers into a block of ready frames and writes it at once. A
// plain connection borrows a large buffer only while it has something to read;
// frames are scanned in place; nothing is allocated for a message. Where the
// generator was what limited nevertheless, the report says so.
package bench
