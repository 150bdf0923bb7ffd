// Package web is the HTTP and TLS around the v2 dialect: what a browser, a certificate authority or an operator's
// monitoring sees of the gateway. It knows nothing of channels and imports nothing of ours.
//
// # Certificates
//
// A [Certificates] gives every TLS listener its configuration and comes from one of three places:
//
//   - [NewACME] obtains certificates for the given domains and renews them, proving ownership with TLS-ALPN-01 on the
//     port that also serves clients, so that port 80 is not needed (acmeauthority.go shows, acmekeep.go obtains,
//     acmeoverheard.go logs the authority's reasons, acmeformer.go finds what older servers left);
//   - [NewFiles] reads a certificate and its key and follows the files when they are replaced;
//   - [NewSelfSigned] makes one for localhost and keeps it, so that the first run works without any of the above.
//
// All of them ask for TLS 1.2 at least and are closed with [Certificates.Close].
//
// # Site
//
// A [Site] is the handler for requests that are no WebSocket: files of a folder for each domain, compressed and kept so
// (sitecompress.go), and parts that other servers answer for (siteproxy.go). A [LiveSite] exchanges it while it serves.
// [Redirect] is for port 80. What the site sends for a file is what mles 2.9.4 sends for it; where that is a mistake
// (paths not decoded, */* as a type, HEAD refused, anything outside the folder served) it does the right thing, and the
// interop run lists these.
package web
