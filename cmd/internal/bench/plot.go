package bench

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// ErrNoLatency says that a mode has no latencies to be drawn.
var ErrNoLatency = errors.New("this mode measures no latencies: nothing to plot")

// Measures of the plot, in pixels.
const (
	plotWidth, plotHeight = 800, 450
	plotLeft, plotRight   = 80, 30
	plotTop, plotBottom   = 60, 60
	plotInnerWidth        = plotWidth - plotLeft - plotRight
	plotInnerHeight       = plotHeight - plotTop - plotBottom
	plotNines             = 5.0 // up to 99.999 %
)

var plotColours = [...]string{"#1f77b4", "#7f7f7f", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e"}

// WritePlot draws how latencies are distributed, as SVG: across, the share of
// deliveries, with as much room for each further nine; up, the latency that this
// share does not exceed, logarithmic. It fails with [ErrNoLatency].
func (r *Report) WritePlot(w io.Writer) error {
	low, high := math.Inf(1), 0.0
	for _, e := range r.Entries {
		if e.Latency != nil {
			low = min(low, e.Latency.Quantile(0))
			high = max(high, e.Latency.Quantile(1))
		}
	}
	if high == 0 {
		return ErrNoLatency
	}
	p := plot{low: math.Floor(math.Log10(max(low, 1))), high: math.Ceil(math.Log10(high))}
	p.high = max(p.high, p.low+1)
	p.begin(r.What)
	n := 0
	for _, e := range r.Entries {
		if e.Latency != nil {
			p.curve(e, n)
			n++
		}
	}
	p.printf("</svg>\n")
	_, err := io.WriteString(w, p.b.String())
	return err
}

type plot struct {
	b         strings.Builder
	low, high float64 // powers of ten of ns
}

func (p *plot) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

// x is the place of a share, y that of a latency in ns.
func (p *plot) x(share float64) float64 {
	nines := min(-math.Log10(max(1-share, 1e-12)), plotNines)
	return plotLeft + nines/plotNines*plotInnerWidth
}

func (p *plot) y(ns float64) float64 {
	return plotTop + plotInnerHeight*(1-(math.Log10(max(ns, 1))-p.low)/(p.high-p.low))
}

func (p *plot) begin(title string) {
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	p.printf(`<rect width="100%%" height="100%%" fill="white"/>` + "\n")
	p.printf(`<text x="%d" y="24" font-size="13">%s</text>`+"\n", plotLeft, escaped(title))
	for power := p.low; power <= p.high; power++ {
		y := p.y(math.Pow(10, power))
		p.printf(`<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`, plotLeft, y, plotWidth-plotRight, y)
		p.printf(`<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-8, y+4, quantity(math.Pow(10, power-9), "s"))
	}
	for _, share := range []float64{0, .5, .9, .99, .999, .9999, .99999} {
		x := p.x(share)
		p.printf(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>`, x, plotTop, x, plotHeight-plotBottom)
		p.printf(`<text x="%.1f" y="%d" text-anchor="middle">%g %%</text>`+"\n", x, plotHeight-plotBottom+18, math.Round(share*1e7)/1e5)
	}
	p.printf(`<text x="%d" y="%d" text-anchor="middle">share of all that take no longer</text>`+"\n", plotLeft+plotInnerWidth/2, plotHeight-16)
}

// curve draws one entry, as far as it has samples for.
func (p *plot) curve(e *Entry, n int) {
	colour := plotColours[n%len(plotColours)]
	most := min(math.Log10(float64(e.Latency.Count())), plotNines)
	p.printf(`<polyline fill="none" stroke="%s" stroke-width="2" points="`, colour)
	const steps = 300
	for i := 0; i <= steps; i++ {
		share := 1 - math.Pow(10, -most*float64(i)/steps)
		p.printf("%.1f,%.1f ", p.x(share), p.y(e.Latency.Quantile(share)))
	}
	p.printf(`"/>` + "\n")
	p.printf(`<text x="%d" y="%d" fill="%s">%s</text>`+"\n", plotLeft+10+150*n, 46, colour, escaped(e.Name))
}

func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
