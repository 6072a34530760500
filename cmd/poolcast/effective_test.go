package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestPlaceUsesEffectiveReports: a decision uses the reports that the
// scheduler holds, and the other commands use those of the samples.
func TestPlaceUsesEffectiveReports(t *testing.T) {
	reports, err := os.ReadFile("testdata/check/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		_, _ = w.Write(reports)
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct{ command, want string }{
		{"place --size 1", "/v1/effective"}, {"pools", "/v1/reports"}, {"check", "/v1/reports"}, {"diff --base ~/pools.json", "/v1/reports"},
	} {
		d := newWorkspace(t)
		stdout, stderr, _ := d.run(append(strings.Fields(c.command), "--agent", server.URL)...)
		if asked != c.want || stdout == "" {
			t.Errorf("%s asked for %s, want %s: %s", c.command, asked, c.want, stderr)
		}
	}
}
