package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A KeptCertificate is what a domain would be shown by a gateway that starts now.
type KeptCertificate struct {
	Domain string
	Until  time.Time // the end of its validity; zero: there is none, clients are refused until there is
	Former bool      // an older server left it: it is shown until there is another
}

// KeptCertificates says what [NewACME] would begin with, in the order of the domains, without asking the authority and
// without writing anything. It fails where NewACME would, but for a folder that cannot be made.
func KeptCertificates(conf ACMEConfig) ([]KeptCertificate, error) {
	cache, err := conf.check()
	if err != nil {
		return nil, err
	}
	a, err := newAuthority(conf, cache)
	if err != nil {
		return nil, err
	}
	defer a.tasks.stop()
	var all []KeptCertificate
	for _, d := range a.domains {
		kept := KeptCertificate{Domain: d.name}
		data, err := a.manager.Cache.Get(context.Background(), d.name)
		if err == nil {
			if cert, err := tls.X509KeyPair(data, data); err == nil && usable(&cert, d.name) == nil {
				kept.Until = cert.Leaf.NotAfter
			}
		}
		if kept.Until.IsZero() && d.former != nil {
			kept.Until, kept.Former = d.former.Leaf.NotAfter, true
		}
		all = append(all, kept)
	}
	place := func(k KeptCertificate) int {
		return slices.IndexFunc(conf.Domains, func(d string) bool { return strings.EqualFold(strings.TrimSuffix(d, "."), k.Domain) })
	}
	slices.SortFunc(all, func(a, b KeptCertificate) int { return place(a) - place(b) })
	return all, nil
}

// KeptSelfSigned says until when the certificate for localhost is valid that [NewSelfSigned] would find in dir; ok is
// false where it would make one.
func KeptSelfSigned(dir string) (until time.Time, ok bool) {
	s := selfSigned{dir: dir}
	if dir == "" || !s.load() {
		return time.Time{}, false
	}
	return s.cert.Leaf.NotAfter, true
}

// A SiteFolder is the folder that a host's pages are in.
type SiteFolder struct {
	Host string // empty: every other host
	Path string
	// Problem says why nothing is found there; nil: it can be read.
	Problem error
}

// Folders says which folder serves which host as of now, sorted by host; those of hosts that are not served are not among
// them.
func (s *Site) Folders() ([]SiteFolder, error) {
	if s.root == "" {
		return nil, nil
	}
	folders := make(map[string]string)
	if s.domains != nil {
		folders = s.domains
	} else {
		entries, err := os.ReadDir(s.root)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if folder, ok := s.folder(e.Name()); ok && folder != s.whole {
				folders[e.Name()] = folder
			}
		}
		if s.whole != "" {
			folders[""] = s.whole
		}
	}
	var all []SiteFolder
	for host, folder := range folders {
		all = append(all, SiteFolder{Host: host, Path: folder, Problem: readable(folder)})
	}
	slices.SortFunc(all, func(a, b SiteFolder) int { return strings.Compare(a.Host, b.Host) })
	return all, nil
}

// readable says why a folder's pages cannot be read.
func readable(folder string) error {
	if _, err := os.ReadDir(folder); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(folder, index))
	if os.IsNotExist(err) {
		return nil // pages may have other names
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", f.Name())
	}
	return nil
}
