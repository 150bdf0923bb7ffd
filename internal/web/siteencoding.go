package web

import (
	"strconv"
	"strings"
)

// An encoding is a content coding (RFC 9110, 8.4.1) that files are sent in.
type encoding string

const (
	identity  encoding = ""
	brotliEnc encoding = "br"
	zstdEnc   encoding = "zstd"
	gzipEnc   encoding = "gzip"
)

// preferred is the order in which equally welcome encodings are chosen: smallest first.
var preferred = [...]encoding{brotliEnc, zstdEnc, gzipEnc}

// negotiate chooses among what the Accept-Encoding headers of a request allow (RFC 9110, 12.5.3): the one with the
// greatest weight, never one with weight 0, and identity where the client likes that better or takes nothing else. A
// client that refuses identity, too, and takes no other, is sent it nevertheless, as the RFC allows: it is better than
// nothing.
func negotiate(headers []string) encoding {
	weights := make(map[string]float64)
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			name, parameters, _ := strings.Cut(item, ";")
			name = strings.ToLower(strings.Trim(name, " \t"))
			if name == "x-gzip" {
				name = "gzip" // RFC 9110, 8.4.1.3
			}
			if q, ok := weight(parameters); ok && name != "" {
				weights[name] = q
			}
		}
	}
	other, any := weights["*"]
	best, least := identity, 0.0
	if q, ok := weights["identity"]; ok {
		least = q
	}
	for _, enc := range preferred {
		q, named := weights[string(enc)]
		if !named && any {
			q = other
		}
		if q > 0 && (best == identity && q >= least || q > least) {
			best, least = enc, q
		}
	}
	return best
}

// weight reads the parameters of an item: nothing, or q and a number from 0 to 1.
func weight(parameters string) (q float64, ok bool) {
	parameters = strings.Trim(parameters, " \t")
	if parameters == "" {
		return 1, true
	}
	name, value, _ := strings.Cut(parameters, "=")
	q, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
	return q, strings.EqualFold(strings.Trim(name, " \t"), "q") && err == nil && q >= 0 && q <= 1
}
