//go:build load

package load

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scraping is what is compared: windows in which the metrics are scraped, and those between them in which they are not.
const (
	scrapeWindow = 500 * time.Millisecond
	scrapesIn    = 5 // in one window, a hundred times more than Prometheus usually does
)

// TestScrape has 1,000 members on 20 channels, of both dialects, hear one publisher each, as fast as that goes, while the
// metrics are scraped in every other half second. Every scrape is whole and counts them all, and nobody is cut; how
// throughput with scrapes compares to that without is told, and not judged: other things run on the machine.
func TestScrape(t *testing.T) {
	windows := 60
	if testing.Short() {
		windows = 16
	}
	const channels, readers = 20, 49
	d := start(t, options{}, "--history-limit=0")
	members := d.crowd(t, channels*(readers+1), func(i int) (transport, string, string) {
		return []transport{v1TCP, v2Plain}[i/channels%2], fmt.Sprintf("member-%04d", i), fmt.Sprintf("channel-%02d", i%channels)
	})
	d.joined(t, len(members))

	const alone = 200
	spent := d.cpu(t)
	for range alone {
		d.scrape(t, len(members))
	}
	each := (d.cpu(t) - spent) / alone

	var heard atomic.Int64
	var stop atomic.Bool
	var busy sync.WaitGroup
	for i, c := range members {
		if i < channels {
			busy.Go(func() { c.flood(&stop) })
		}
		busy.Go(func() { c.countBytes(&heard, &stop) })
	}
	time.Sleep(time.Second) // until buffers are full
	var rates [2][]float64  // without scrapes, with
	var took []time.Duration
	for w := range windows {
		before, begun := heard.Load(), time.Now()
		if w%2 == 1 {
			for i := range scrapesIn {
				time.Sleep(time.Until(begun.Add(time.Duration(i) * scrapeWindow / scrapesIn)))
				took = append(took, d.scrape(t, len(members)))
			}
		}
		time.Sleep(time.Until(begun.Add(scrapeWindow)))
		rates[w%2] = append(rates[w%2], float64(heard.Load()-before)/time.Since(begun).Seconds())
	}
	stop.Store(true)
	closeClients(members)
	busy.Wait()
	if lines := d.log("subscription cut"); len(lines) > 0 {
		t.Errorf("cut: %q", lines)
	}
	without, with := mean(rates[0]), mean(rates[1])
	if without == 0 || with == 0 {
		t.Errorf("nothing was heard: %v", rates)
	}
	slices.Sort(took)
	t.Logf("scrape: %d members, %.1f MiB/s without scrapes, %.1f with %.0f in a second: ratio %.4f ± %.4f; a scrape took %s, the longest %s; it costs %s of CPU, which at one in 15 s is %.3f %% of a core",
		len(members), without/(1<<20), with/(1<<20), scrapesIn/scrapeWindow.Seconds(), with/without,
		math.Hypot(spread(rates[0])/without, spread(rates[1])/with), took[len(took)/2].Round(time.Millisecond/10), took[len(took)-1].Round(time.Millisecond/10),
		each.Round(time.Microsecond), each.Seconds()/15*100)
}

// cpu is the time that the daemon has computed.
func (d *daemon) cpu(t *testing.T) time.Duration {
	t.Helper()
	return time.Duration(d.metric(t, "process_cpu_seconds_total") * float64(time.Second))
}

// scrape asks for the metrics once, and makes sure that they are whole.
func (d *daemon) scrape(t *testing.T, members int) time.Duration {
	t.Helper()
	begun := time.Now()
	answer, err := http.Get("http://" + d.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	took := time.Since(begun)
	counted := 0
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscanf(strings.ReplaceAll(line, "}", " }"), `mles_member_lag_bytes_count{dialect=%q } %d`, new(string), &n); err == nil {
			counted += n
		}
	}
	if err != nil || answer.StatusCode != http.StatusOK || counted != members {
		t.Errorf("a scrape counts %d of %d members: %s, %v", counted, members, answer.Status, err)
	}
	return took
}

// flood publishes messages of 64 bytes until stop, some at once.
func (c *client) flood(stop *atomic.Bool) {
	var frames []byte
	for range 32 {
		frames = c.frame(frames, make([]byte, 64))
	}
	for !stop.Load() && c.write(frames) == nil {
	}
}

// countBytes counts the bytes that come until stop.
func (c *client) countBytes(heard *atomic.Int64, stop *atomic.Bool) {
	buf := make([]byte, 64<<10)
	for !stop.Load() {
		n, err := c.Conn.Read(buf)
		heard.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}

// spread is the standard error of the mean.
func spread(values []float64) float64 {
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)-1) / float64(len(values)))
}
