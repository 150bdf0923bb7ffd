// Package console is what a person sees of a gateway in a browser: the console of its operator and a page to chat on.
//
// # Tour
//
// [Console] answers the admin listener's / and /console/, [Chat] answers /chat and /chat/; both give out files that are
// built in. What the pages show comes from elsewhere: the console asks /status and what else the admin listener answers
// (docs/status.md), the chat page speaks v2 over a WebSocket to chat/ws of whoever served it. [SameHost] keeps pages of
// other origins away from that WebSocket where the admin listener offers it, [TokenInProtocol] lets the page send the
// token there. [Site] puts the chat page in front of the web site.
//
// # The files
//
// They are plain HTML, style sheets and ES modules below files/, one concept each, served as they are:
//
//	base.css, theme.js       colours, controls, light and dark; both pages
//	element.js               elements with text; both pages
//
//	chat.html, chat.css
//	chat.js                  the page: form, conversation, what is said of the connection
//	log.js                   the messages
//	session.js               a member over as many connections as it takes
//	replay.js                what of a replay is new, as in cmd/mlesctl/overlap.go
//	frame.js                 what a frame says: text, bytes, an arrival
//	siphash.js               auth, and the hashes of replay.js
//
//	console.html, console.css
//	console.js               the page: asks every other second
//	gateway.js               asks: token, one request at a time, pauses after errors
//	overview.js              numbers and plots: rates.js, plot.js
//	lists.js, seen.js        tables: table.js
//	ask.js, format.js        dialogs; numbers, sizes and times for people
//
// Names and messages of clients are put into the page as text only. The content security policy (see policy) has browsers
// enforce that: no inline script or style, nothing from elsewhere, and no HTML made of strings.
package console
