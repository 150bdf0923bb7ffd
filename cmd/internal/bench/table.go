package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s; %d runs of each in turn, median (lowest … highest)\n", r.What, r.runs())
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range r.rows() {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return r.writeRemarks(w, "")
}

// WriteMarkdown writes the report as a section of a document.
func (r *Report) WriteMarkdown(w io.Writer, title string) error {
	fmt.Fprintf(w, "### %s\n\n%s; %d runs of each in turn, median (lowest … highest).\n\n", title, upper(r.What), r.runs())
	for i, row := range r.rows() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	fmt.Fprintln(w)
	return r.writeRemarks(w, "- ")
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (r *Report) writeRemarks(w io.Writer, bullet string) (err error) {
	say := func(text string) { _, err = fmt.Fprintf(w, "%s%s\n", bullet, text) }
	for _, e := range r.Entries {
		for _, text := range e.Errors {
			say(e.Name + ": FAILED: " + text)
		}
	}
	for _, text := range r.Notes {
		say(text)
	}
	return err
}

// rows are the table's cells, the header first: for each metric of the subject
// one, with a column for each entry and, behind those it is compared with, one
// for the ratio.
func (r *Report) rows() [][]string {
	head := []string{""}
	for i, e := range r.Entries {
		head = append(head, e.Name)
		if i > 0 {
			head = append(head, "× "+e.Name)
		}
	}
	rows := [][]string{head}
	for _, m := range r.metrics() {
		row := []string{m.Label}
		for i, e := range r.Entries {
			f := e.figure(m.Key)
			row = append(row, f.cell())
			if i > 0 {
				row = append(row, f.ratioCell())
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// metrics are those of all entries, the subject's first.
func (r *Report) metrics() (ms []Metric) {
	seen := make(map[string]bool)
	for _, e := range r.Entries {
		for _, f := range e.Figures {
			if !seen[f.Key] {
				seen[f.Key] = true
				ms = append(ms, f.Metric)
			}
		}
	}
	return ms
}

func (r *Report) runs() (n int) {
	for _, e := range r.Entries {
		for _, f := range e.Figures {
			n = max(n, len(f.Runs))
		}
	}
	return n
}

func (f *Figure) cell() string {
	if f == nil {
		return "–"
	}
	if len(f.Runs) == 1 || f.Min == f.Max {
		return quantity(f.Median, f.Unit)
	}
	return fmt.Sprintf("%s (%s … %s)", quantity(f.Median, f.Unit), quantity(f.Min, f.Unit), quantity(f.Max, f.Unit))
}

func (f *Figure) ratioCell() string {
	if f == nil || f.Ratio == nil {
		return ""
	}
	q := f.Ratio
	if q.Min == q.Max {
		return number(q.Median)
	}
	return fmt.Sprintf("%s (%s … %s)", number(q.Median), number(q.Min), number(q.Max))
}

// number writes three digits, two of what is small.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case a < 0.1 && a >= 1e-6:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// quantity writes a figure with its unit.
func quantity(v float64, unit string) string {
	switch unit {
	case "s":
		return scaled(v*1e9, 1000, "ns", "µs", "ms", "s")
	case "B":
		return scaled(v, 1024, "B", "KiB", "MiB", "GiB")
	case "B/s":
		return scaled(v, 1000, "B/s", "kB/s", "MB/s", "GB/s")
	case "/s":
		return scaled(v, 1000, "/s", " k/s", " M/s", " G/s")
	}
	return number(v)
}

func scaled(v, step float64, units ...string) string {
	i := 0
	for math.Abs(v) >= step && i < len(units)-1 {
		v /= step
		i++
	}
	return number(v) + strings.TrimSuffix(" "+strings.TrimSpace(units[i]), " ")
}
