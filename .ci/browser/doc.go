// Package browser tests the console and the chat page in a real Chromium, which chromedp drives: what people see and
// type, what the other side hears, and that no page asks anybody but its gateway for anything.
//
//	go -C .ci/browser test
//
// needs Debian's package chromium. With BROWSER_SCREENSHOTS=DIR the pages are photographed into DIR: light, dark and as
// on a phone.
package browser
