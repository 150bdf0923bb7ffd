package bridge

import (
	"fmt"
	"slices"
)

// A Service is what a listener is served with. It names those whose connections
// come from proxies; see Config.ProxyProtocol.
type Service int

const (
	OnV1     Service = iota + 1 // [Gateway.ServeV1]
	OnV1TLS                     // [Gateway.ServeV1TLS]
	OnV2TLS                     // [Gateway.ServeV2TLS]
	OnV2                        // [Gateway.ServeV2]
	OnSite                      // [Gateway.ServeSite]
	ofOthers Service = 0        // another program's HTTP server
)

// serviceNames are in the order of the constants.
func serviceNames() []string { return []string{"", "v1", "v1-tls", "v2", "plain", "redirect"} }

// String is "v1", "v1-tls", "v2", "plain" or "redirect".
func (s Service) String() string {
	if s < OnV1 || s > OnSite {
		return fmt.Sprintf("service %d", int(s))
	}
	return serviceNames()[s]
}

// ParseService reads what String writes.
func ParseService(name string) (Service, error) {
	if i := slices.Index(serviceNames(), name); i > 0 {
		return Service(i), nil
	}
	return 0, fmt.Errorf("%q is no listener: want v1, v1-tls, v2, plain or redirect", name)
}

// speaksHTTP says whether requests come over the service's connections, which may
// tell of clients in their headers.
func (s Service) speaksHTTP() bool { return s != OnV1 && s != OnV1TLS }
