package bridge

// Fits is how a pattern of channels is held against a name.
func Fits(pattern, channel string) bool { return globs{pattern}.fit(channel) }
