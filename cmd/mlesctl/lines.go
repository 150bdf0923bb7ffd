package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads a stream line by line, each at most as long as a message may be.
type lines struct {
	r    *bufio.Reader
	most int // bytes of a line without its newline
}

func newLines(r io.Reader, most int) *lines {
	return &lines{r: bufio.NewReader(r), most: most}
}

// next returns the next line without its newline, in memory of its own. What
// stands after the last newline is a line too, unless it is empty. At the end
// the error is io.EOF; a line that is too long is a *tooLarge.
func (l *lines) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		text := bytes.TrimSuffix(line, []byte("\n"))
		switch {
		case len(text) > l.most:
			return nil, &tooLarge{l.most}
		case err == nil, err == io.EOF && len(text) > 0:
			return text, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
