// Package bridge serves both generations of Mles on one bus of channels, so that
// clients of v1 and of v2 hear each other. What each of them gets for what the
// other does is told in mapping.md.
//
// # Tour
//
// [New] makes a [Gateway] of a [Config], which says who may join and how much is
// remembered. [Gateway.ServeV1] and [Gateway.ServeV1TLS] serve v1 on a listener,
// [Gateway.ServeV2] and [Gateway.ServeV2TLS] serve v2; each blocks until the
// gateway is shut down. A program with an HTTP server of its own can use the
// gateway as a handler instead of the latter two. [Gateway.Stats] counts,
// [Gateway.Members] and [Gateway.Channels] tell who is there, a [Witness] who was;
// [Gateway.Reconfigure] changes who may join while members are there; [Gateway.Kick]
// throws somebody out, [Gateway.Publish] says something, [Gateway.History] and
// [Gateway.Purge] show and forget what is remembered; [Gateway.Probe] finds out whether
// the gateway works;
// [Gateway.Shutdown] takes leave of everybody, [Gateway.Close] does not.
//
// # How it is made
//
// Every connection is accepted by the same code (accept.go), which counts it,
// survives what accepting can fail with, and bounds TLS handshakes (handshake.go). Where a proxy has
// opened it, proxyheader.go and forwarded.go find whose it is; addresses.go counts it
// for its client's address, and unjoined.go closes whoever does not join when there is
// no place left. Then
// v1conn.go or wsconn.go reads its first frame, which is authenticated (keys.go, scope.go;
// guesses.go slows who tries keys),
// claims its identity (claim.go, challenge.go) and joins the bus: on a WebSocket
// v2conn.go sees to that if it is text, and v1ws.go, if Config allows that dialect,
// if it is binary, as it does for each channel named later. From then on one
// goroutine reads and publishes; writer.go writes what the bus has for it, while
// there is something: crew.go what is little, without waiting (outlet.go). codec.go
// is the table of the mapping. pace.go and intake.go bound the time and the memory of
// frames half received.
//
// Requests for pages on a WebSocket listener go to Config.Site (site.go), over
// HTTP/1.1 or, where TLS's ALPN offers it, HTTP/2: those connections are bounded by
// themselves, and what is being sent is let end when the gateway shuts down.
//
// Upstream servers are dialed for each channel that has members (upstreams.go). A
// peering (peering.go) dials, arrives, and lives with the uplink (passage.go, passage_send.go)
// until it is lost, and then begins anew; upstream_v1.go and upstream_v2.go know the
// dialects, align.go what is new in a replay, loops.go what has come round.
//
// mask.go and the mask*.go beside it do for mles-webproxy's mask what its place
// demands: codec.go takes it off for v1 WebSockets that are on masked channels, or a
// link passes on between a channel and its masked twin.
//
// Histories go to a bus.Store, which may be files, and come back when a gateway is made
// (histories.go).
package bridge
