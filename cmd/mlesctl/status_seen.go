package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	admin "mles/internal/status"
)

// runSeen answers whether a dialect can be turned off.
func (c *statusCommand) runSeen(ctx context.Context, std *stdio) error {
	text := c.For
	if text == "" {
		text = "30d"
	}
	period, err := parsePeriod(text)
	if err != nil {
		return err
	}
	q := c.query()
	q.Del("dialect")
	for _, d := range c.dialects() {
		q.Add("dialect", d)
	}
	if len(q["dialect"]) == 0 {
		return usage("--dialect %s is no part of --seen %s", c.Dialect, c.Seen)
	}
	q.Set("for", period.String())
	var doc admin.SeenDocument
	raw, err := c.fetch(ctx, "/status/seen", q, &doc)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = std.out.Write(raw)
	} else {
		err = writeVisitors(std.out, &doc)
	}
	sentence, code := c.verdict(&doc, text, period)
	if err == nil && !c.JSON {
		_, err = fmt.Fprintln(std.out, sentence)
	}
	if err != nil {
		return err
	}
	return said(code)
}

// dialects are those that the question is about.
func (c *statusCommand) dialects() []string {
	asked := []string{c.Seen}
	if c.Seen == "v1" { // both end when v1 is turned off
		asked = []string{"v1", "v1ws"}
	}
	return slices.DeleteFunc(asked, func(d string) bool { return c.Dialect != "" && c.Dialect != d })
}

// verdict is the answer in a sentence, and as an exit status.
func (c *statusCommand) verdict(doc *admin.SeenDocument, period string, d time.Duration) (sentence string, code int) {
	what, nobody := c.Seen, "nobody"
	if c.Seen == "v1" && c.Dialect == "v1" {
		what = "v1 over TCP"
	}
	all := c.Channel == "" && c.UID == ""
	if !all {
		nobody = "none of those asked for"
	}
	switch {
	case doc.Answer == admin.Used && doc.Clients == 0:
		return fmt.Sprintf("%s is still used, by clients that the record had no room for; do not turn it off.", what), exitUnsatisfied
	case doc.Answer == admin.Used && doc.Clients == 1:
		return fmt.Sprintf("%s is still used by 1 client (last %s); do not turn it off.", what, period), exitUnsatisfied
	case doc.Answer == admin.Used:
		return fmt.Sprintf("%s is still used by %d clients (last %s); do not turn it off.", what, doc.Clients, period), exitUnsatisfied
	case doc.Answer != admin.Unused:
		when := ""
		if doc.Seen.Since.After(doc.From) {
			when = fmt.Sprintf(" Ask again after %s, or for a shorter time.", doc.Seen.Since.Add(d).Local().Format("2006-01-02 15:04"))
		}
		return fmt.Sprintf("Nobody can tell whether %s was used in the last %s: %s.%s", what, period, harmlessName(doc.Reason), when), exitUnknown
	case !all:
		return fmt.Sprintf("%s used %s in the last %s.", strings.ToUpper(nobody[:1])+nobody[1:], what, period), exitOK
	}
	return fmt.Sprintf("Nobody used %s in the last %s: it can be turned off.", what, period), exitOK
}

// parsePeriod reads a duration as Go does, or a number of days or weeks: 30d, 2w.
func parsePeriod(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	for unit, d := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.ParseUint(number, 10, 16); err == nil && n > 0 {
				return time.Duration(n) * d, nil
			}
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usage("--for %q is no time: 30d, 2w, 12h", text)
	}
	return d, nil
}
