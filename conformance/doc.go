// Package conformance holds any Mles server to the protocol: some hundred cases,
// each of which sends bytes and says what must come back.
//
// It speaks literal bytes and imports none of the project's codecs: an oracle
// must not be the codec that it judges.
//
// # A run
//
// A Target is the server: its v1 address, its v2 address, that of v1 over
// WebSocket, one of them or all, and its shared key. Run holds it to Cases and returns a Report, which writes itself as text,
// JSON or JUnit XML. A case that did not pass carries its transcript: every frame
// sent and received, its bytes and what they mean, and the sentence that was
// broken.
//
// Cases for an address or a key that is not given are left out, and the report
// says so. A case that was chosen and could not be tried is NotRun, which is no
// pass.
//
// # Profiles
//
// A Profile says what one implementation is known to do otherwise, with reasons.
// With it a run is as expected when each case comes out as the profile says: an
// unexpected pass is as loud as an unexpected failure.
//
// # Cases
//
// A Case runs on a T, which stands in for testing.T, connects, gives out channel
// names that nobody else uses, and keeps the transcript. V1Conn, V2Conn
// and V1WSConn are raw clients. Room brings members together in a channel and proves the absence of
// messages without waiting. CONTRIBUTING.md tells how to add a case.
package conformance
