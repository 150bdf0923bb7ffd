package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"mles/bridge"
	"mles/internal/web"
)

// day is how dates are said.
const day = "2 January 2006"

// certificates says what clients of TLS would be shown.
func (r *dryRun) certificates() {
	c := r.conf
	switch {
	case !c.usesTLS():
	case c.TLSCert != "" && c.TLSKey != "":
		r.certificateFiles()
	case len(c.Domains) > 0:
		r.acmeCertificates()
	case c.TLSCert == "" && c.TLSKey == "":
		until, ok := web.KeptSelfSigned(c.Cache)
		switch {
		case ok:
			r.say("certificate", "for localhost only, self-signed, until %s", until.Format(day))
		case c.Cache == "":
			r.say("certificate", "for localhost only, self-signed, made anew by each start")
		default:
			r.say("certificate", "for localhost only, self-signed, to be made in %s", c.Cache)
		}
	}
}

// certificateFiles loads the pair, as a start does.
func (r *dryRun) certificateFiles() {
	certs, err := r.daemon.certificates(r.conf)
	if err != nil {
		r.faults.add(err)
		return
	}
	defer certs.Close()
	cert, err := x509.ParseCertificate(leaf(certs))
	if err != nil {
		r.faults.add(fmt.Errorf("--tls-cert %s: %w", r.conf.TLSCert, err))
		return
	}
	r.say("certificate", "%s for %s, until %s", r.conf.TLSCert, namesOf(cert), cert.NotAfter.Format(day))
	if time.Now().Before(cert.NotBefore) {
		r.warn("--tls-cert %s is valid from %s on only: clients refuse it until then", r.conf.TLSCert, cert.NotBefore.Format(day))
	}
	if left := time.Until(cert.NotAfter); left > 0 && left < 7*24*time.Hour {
		r.warn("--tls-cert %s ends on %s: renew it", r.conf.TLSCert, cert.NotAfter.Format(day))
	}
	if info, err := os.Stat(r.conf.TLSKey); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
		r.warn("--tls-key %s can be read by every user of this machine: chmod 600", r.conf.TLSKey)
	}
	for _, f := range r.siteFolders() {
		if f.Host != "" && cert.VerifyHostname(f.Host) != nil {
			r.warn("--tls-cert %s is not for %s, whose pages are in %s: browsers refuse it", r.conf.TLSCert, f.Host, f.Path)
		}
	}
}

func namesOf(cert *x509.Certificate) string {
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return "no host at all"
	case len(names) > 4:
		return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
	}
	return fmt.Sprint(names)
}

func (r *dryRun) acmeCertificates() {
	acme := r.daemon.acme(r.conf)
	kept, err := web.KeptCertificates(acme)
	if err != nil {
		if r.domainsFit() { // else it has been found
			r.faults.add(fmt.Errorf("--domains: %w", err))
		}
		return
	}
	authority := "Let's Encrypt"
	if u, err := url.Parse(acme.Directory); err == nil && acme.Directory != "" && acme.Directory != web.LetsEncrypt {
		authority = u.Host
	}
	for _, k := range kept {
		switch {
		case k.Until.IsZero():
			r.say("certificate", "%s: to be obtained from %s; until then, clients of TLS are refused", k.Domain, authority)
		case k.Former:
			r.say("certificate", "%s: that of an older server, until %s at most; to be obtained from %s", k.Domain, k.Until.Format(day), authority)
		default:
			r.say("certificate", "%s: kept, until %s", k.Domain, k.Until.Format(day))
		}
		if found := r.lookUp("--domains", k.Domain); found != "" {
			r.say("certificate", "%s is at%s: %s connects to port 443 there", k.Domain, found, authority)
		}
	}
}

func (r *dryRun) domainsFit() bool {
	for _, d := range r.conf.Domains {
		if web.CheckDomain(d) != nil {
			return false
		}
	}
	return true
}

// site says which folder serves which host, and what is passed on.
func (r *dryRun) site() {
	c := r.conf
	if c.Chat {
		r.say("site", "a page to chat on at /chat")
	}
	if !c.hasSite() {
		return
	}
	for _, f := range r.siteFolders() {
		host := f.Host
		if host == "" {
			host = "every other host"
		}
		r.say("site", "%s from %s", host, f.Path)
		switch {
		case errors.Is(f.Problem, fs.ErrNotExist): // newSite has warned
		case f.Problem != nil:
			r.warn("--wwwroot: pages of %s cannot be read: %v", host, f.Problem)
		}
	}
	for _, p := range c.proxies {
		r.say("site", "/%s from %s%s", p.Prefix, p.Target.Redacted(), r.lookUp("--proxy "+p.Prefix, p.Target.Hostname()))
	}
}

// siteFolders are those of --wwwroot, if that can be used; if not, this is a fault.
func (r *dryRun) siteFolders() []web.SiteFolder {
	site, err := r.daemon.newSite(r.conf)
	if err == nil && site != nil {
		defer site.Close()
		folders, err := site.Folders()
		if err == nil {
			return folders
		}
		r.fault(fmt.Errorf("--wwwroot: %w", err))
		return nil
	}
	r.fault(err)
	return nil
}

// fault adds err unless it has been found before.
func (r *dryRun) fault(err error) {
	if err == nil {
		return
	}
	for _, f := range r.faults {
		if f.Error() == err.Error() {
			return
		}
	}
	r.faults.add(err)
}

// folder says whether the cache folder could be written to, which is a fault where a start needs it.
func (r *dryRun) folder() {
	c := r.conf
	if c.Cache == "" {
		r.warn("--cache: there is no usual cache folder here: nothing outlasts the process, name a folder")
		return
	}
	err := r.lookAtFolder(c.Cache)
	needed := c.usesTLS() && (len(c.Domains) > 0 || c.selfSigned() && c.cacheGiven)
	switch {
	case err == nil:
	case needed:
		r.faults.add(fmt.Errorf("--cache %s: %w: let %s write there, or name another folder", c.Cache, err, whoami()))
	default:
		r.warn("--cache %s: %v: nothing outlasts the process; let %s write there, or name another folder", c.Cache, err, whoami())
	}
}

func (r *dryRun) lookAtFolder(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		parent := existing(dir)
		if _, err := os.Stat(parent); err != nil {
			return fmt.Errorf("%s is a symbolic link to what is not there", parent)
		}
		r.say("folder", "%s, to be made with mode 0700", dir)
		if err := writable(parent); err != nil {
			return fmt.Errorf("it cannot be made in %s: %w", parent, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("it is no folder")
	}
	r.say("folder", "%s, mode %04o", dir, info.Mode().Perm())
	if info.Mode().Perm()&0o022 != 0 {
		r.warn("--cache %s can be written to by other users of this machine: chmod 700", dir)
	}
	return writable(dir)
}

// existing is dir, or the next folder above it, that there is; a symbolic link is there, wherever it leads to.
func existing(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// bounds says what the gateway would hold at most.
func (r *dryRun) bounds() {
	conf, err := r.daemon.gatewayConfig(r.conf)
	if err == nil {
		conf, err = conf.Complete()
	}
	if err != nil {
		if len(r.faults) == 0 { // else it is likely one of those
			r.faults.add(err)
		}
		return
	}
	r.say("bounds", "%d connections, with room for %d in the limit on open files", conf.MaxConnections, bridge.UsableConnections())
	usable := bridge.UsableMemory()
	if usable > 0 {
		r.say("bounds", "%s of %s memory", mebibytes(conf.MemoryLimit), mebibytes(usable))
	} else {
		r.say("bounds", "%s memory", mebibytes(conf.MemoryLimit))
	}
	r.history(conf.HistoryLimit)
	if n := r.conf.MaxConnections; n != nil && *n > conf.MaxConnections {
		r.warn("--max-connections %d: --memory-limit has room for %d", *n, conf.MaxConnections)
	}
	if usable > 0 && conf.MemoryLimit > usable {
		r.warn("--memory-limit %s is more than the %s that there are: the system would end the gateway before it cuts anybody", mebibytes(conf.MemoryLimit), mebibytes(usable))
	}
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
