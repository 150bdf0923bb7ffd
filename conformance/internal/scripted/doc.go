// Package scripted is a small and correct server of all Mles dialects that can be
// made wrong in one place. The conformance suite is tested with it: every case
// must pass on the correct server and fail on a broken one.
//
// It shares no code with the gateway, nor with the suite's own reading and
// writing of bytes, so it is a second judge of the suite. It wants to be read
// rather than to be fast: one lock, a queue without bound for each member.
//
// # Breaking it
//
// A server follows [Rules]. [Correct] returns the right ones, and a fault changes
// one of them before the server starts. There are three kinds:
//
//   - Verdicts. A reader of frames, bodies, hellos or requests takes whatever it
//     can and leaves a [Remark] on all that is out of the ordinary: "uid twice",
//     "map indefinite", "frame not masked". Rules.Verdicts says which of them end
//     the connection, and how. A fault turns a verdict over.
//   - Hooks: functions that decide who gets an event, what it looks like there,
//     what is stored. A fault replaces or wraps one.
//   - Limits and times: numbers.
package scripted
