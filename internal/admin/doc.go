// Package admin guards the admin listener: who may ask a gateway for what. It knows HTTP and nothing of channels; what
// is asked for, others register.
//
// # Tour
//
// [New] makes [Routes]. What nobody needs to be known for is registered with [Routes.Open] (health, the files of the
// console), what tells of clients with [Routes.Read] (metrics, status), what does something to them or shows what they
// said with [Routes.Act] (kick, purge, publish, history). [Routes.Handler] serves all of them on one listener:
//
//	                on loopback                    elsewhere
//	Open            anybody on this machine        anybody
//	Read            anybody on this machine        with the token
//	Act             with the token                 with the token
//
// "Anybody on this machine" leaves out pages of other origins in a browser on it (local.go).
//
// # The token
//
// It stands in the header Authorization: Bearer TOKEN and is compared in constant time. A [Token] holds the one that is
// valid now, so that a reload can replace it; [ReadToken] reads it from a file of the operator's, [KeepToken] makes one
// and keeps it in the cache folder. Whoever sends wrong ones is slowed (guesses.go), which bounds what guessing a short
// token could find; [MinToken] is what bounds it by itself.
package admin
