package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/publisher/status"
)

// statusOptions translates the configuration; Listen is empty if the page is
// switched off. Certificate and token are read once here, so that a wrong path
// is an error at the start, and again whenever they change.
func (a *agent) statusOptions() (status.Options, error) {
	agent := a.cfg.Agent
	o := status.Options{Listen: agent.Listen, Source: a.view, Placer: a.place, Logger: a.log}
	if o.Listen == "" {
		return o, nil
	}
	if agent.TLSCertFile != "" {
		pair := &certificate{cert: agent.TLSCertFile, key: agent.TLSKeyFile}
		if _, err := pair.get(); err != nil {
			return o, err
		}
		o.Certificate = pair.get
	}
	if agent.BearerTokenFile != "" {
		token := &fileToken{path: agent.BearerTokenFile}
		if _, err := token.read(); err != nil {
			return o, fmt.Errorf("bearer_token_file: %w", err)
		}
		o.Token = token.get
	}
	return o, nil
}

// diskTimeout is how long a client of the status page waits for a file, before
// what was read last is used.
const diskTimeout = 2 * time.Second

// certificate is a key pair on disk that may be renewed at any time. A pair
// that cannot be read, as in the middle of a renewal, leaves the last good one.
type certificate struct {
	cert, key string
	disk      files.Reader

	mu   sync.Mutex
	good *tls.Certificate
}

func (c *certificate) get() (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), diskTimeout)
	defer cancel()
	pair, err := files.Do(ctx, &c.disk, func() (tls.Certificate, error) { return files.ReadKeyPair(c.cert, c.key) })
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.good = &pair
	case c.good == nil:
		return nil, fmt.Errorf("read tls_cert_file and tls_key_file: %w", err)
	}
	return c.good, nil
}

// fileToken is a bearer token on disk. While the file cannot be read the last
// good token counts.
type fileToken struct {
	path string
	disk files.Reader

	mu   sync.Mutex
	good string
}

func (f *fileToken) get() string {
	token, err := f.read()
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.good
	}
	return token
}

func (f *fileToken) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), diskTimeout)
	defer cancel()
	data, err := f.disk.Read(ctx, f.path, files.MaxToken)
	if err != nil {
		return "", fmt.Errorf("read bearer token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("read bearer token: %s is empty", f.path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = token
	return token, nil
}

// place answers questions of the status page on what the scheduler was told
// last.
func (a *agent) place(q status.Query) (status.Decision, error) {
	request := &cinder.Request{Size: q.Size, Zone: q.Zone}
	if len(q.ExtraSpecs) > 0 {
		request.Type = &cinder.VolumeType{Name: "of the form", ExtraSpecs: cinder.ExtraSpecsOf(q.ExtraSpecs)}
	}
	if q.Policy != "strict" && q.Policy != "prefer" {
		return status.Decision{}, fmt.Errorf("policy %q: want strict or prefer", q.Policy)
	}
	engine, err := placementEngine(a.now.Load().cfg.Scheduler, q.Policy)
	if err != nil {
		return status.Decision{}, err
	}
	d, err := decide(engine, cinder.NewSnapshot(a.view.told()), request)
	if err != nil {
		return status.Decision{}, err
	}
	out := status.Decision{JSON: d.JSON(), Summary: d.Summary(), Fits: d.Chosen != nil}
	for i := range d.Verdicts {
		out.Rows = append(out.Rows, answerRow(&d.Verdicts[i]))
	}
	return out, nil
}

func answerRow(v *placement.Verdict) status.DecisionRow {
	row := status.DecisionRow{Backend: v.Backend.Report().Name()}
	if !v.Fits() {
		row.Reason = v.RefusedBy + ": " + v.Reason()
		return row
	}
	row.Rank, row.Weight = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	if v.Tied {
		row.Rank += " (tie)"
	}
	row.Reason = strings.Join(v.Lines(), "; ")
	return row
}
