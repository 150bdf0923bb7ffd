package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"mles/internal/admin"
)

// A container's health is the exit status of mlesctl status --ready.
func TestStatusReady(t *testing.T) {
	why := ""
	routes := admin.New(admin.Config{})
	routes.Health(func() string { return why })
	gateway := httptest.NewServer(routes.Handler(true))
	defer gateway.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	ask := func(at *httptest.Server) error {
		c := statusCommand{adminFlags: adminFlags{Admin: strings.TrimPrefix(at.URL, "http://")}, Ready: true}
		return c.Run(t.Context(), newStdio(null, null, null))
	}
	if err := ask(gateway); err != nil {
		t.Error(err)
	}
	why = "draining"
	if err := ask(gateway); status(err) != exitUnsatisfied || !strings.Contains(err.Error(), "draining") {
		t.Errorf("while it drains: %v", err)
	}
	if err := ask(other); status(err) != exitUnreachable {
		t.Errorf("another server: %v", err)
	}
}
