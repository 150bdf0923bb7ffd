package web

import (
	"mime"
	"path"
	"strings"
)

// A contentType is what a file is, by its extension.
type contentType struct {
	name       string
	compresses bool // smaller by compression, as a rule
}

// typeOf is the type of the file called name. The types that mles 2.9.4 names are the same here, without a charset,
// which would overrule what the file says of itself; for all others it says */*, which is no type.
//
// What the table lacks is asked of the system, whose own table differs from one to the next.
func typeOf(name string) contentType {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return contentType{t, strings.HasPrefix(t, "text/")}
	}
	return contentType{"application/octet-stream", false}
}

var contentTypes = map[string]contentType{
	// As mles 2.9.4 has them.
	".html": {"text/html", true},
	".css":  {"text/css", true},
	".js":   {"application/javascript", true},
	".mjs":  {"application/javascript", true},
	".json": {"application/json", true},
	".xml":  {"application/xml", true},
	".svg":  {"image/svg+xml", true},
	".ico":  {"image/x-icon", true},
	".png":  {"image/png", false},
	".jpg":  {"image/jpeg", false},
	".apk":  {"application/vnd.android.package-archive", false},

	".htm":         {"text/html", true},
	".xhtml":       {"application/xhtml+xml", true},
	".txt":         {"text/plain; charset=utf-8", true},
	".md":          {"text/markdown; charset=utf-8", true},
	".csv":         {"text/csv; charset=utf-8", true},
	".vtt":         {"text/vtt; charset=utf-8", true},
	".ics":         {"text/calendar; charset=utf-8", true},
	".map":         {"application/json", true},
	".geojson":     {"application/geo+json", true},
	".jsonld":      {"application/ld+json", true},
	".webmanifest": {"application/manifest+json", true},
	".atom":        {"application/atom+xml", true},
	".rss":         {"application/rss+xml", true},
	".wasm":        {"application/wasm", true},
	".pdf":         {"application/pdf", false},
	".zip":         {"application/zip", false},
	".gz":          {"application/gzip", false},
	".tgz":         {"application/gzip", false},
	".bz2":         {"application/x-bzip2", false},
	".xz":          {"application/x-xz", false},
	".zst":         {"application/zstd", false},
	".7z":          {"application/x-7z-compressed", false},
	".tar":         {"application/x-tar", true},
	".bin":         {"application/octet-stream", false},
	".jpeg":        {"image/jpeg", false},
	".gif":         {"image/gif", false},
	".webp":        {"image/webp", false},
	".avif":        {"image/avif", false},
	".jxl":         {"image/jxl", false},
	".heic":        {"image/heic", false},
	".bmp":         {"image/bmp", true},
	".tif":         {"image/tiff", false},
	".tiff":        {"image/tiff", false},
	".woff":        {"font/woff", false},
	".woff2":       {"font/woff2", false},
	".ttf":         {"font/ttf", true},
	".otf":         {"font/otf", true},
	".eot":         {"application/vnd.ms-fontobject", true},
	".mp3":         {"audio/mpeg", false},
	".m4a":         {"audio/mp4", false},
	".aac":         {"audio/aac", false},
	".ogg":         {"audio/ogg", false},
	".oga":         {"audio/ogg", false},
	".opus":        {"audio/ogg", false},
	".wav":         {"audio/wav", true},
	".flac":        {"audio/flac", false},
	".mp4":         {"video/mp4", false},
	".m4v":         {"video/mp4", false},
	".mov":         {"video/quicktime", false},
	".webm":        {"video/webm", false},
	".ogv":         {"video/ogg", false},
	".mkv":         {"video/matroska", false},
}
