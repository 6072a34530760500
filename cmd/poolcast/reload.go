package main

import (
	"github.com/poolcast/poolcast/config"
)

// watched are the files whose change is a reason to reload: the configuration,
// and every certificate and token it names.
func (a *agent) watched() []string {
	paths := append([]string{}, a.cfg.Paths...)
	add := func(more ...string) {
		for _, path := range more {
			if path != "" {
				paths = append(paths, path)
			}
		}
	}
	for _, b := range a.cfg.Backends {
		add(b.Credential.File)
		add(b.CAPath)
		add(filesAt(b.CAPath)...)
	}
	bus := a.cfg.Bus.TLS
	add(bus.CAFile, bus.CertFile, bus.KeyFile)
	add(a.cfg.Agent.TLSCertFile, a.cfg.Agent.TLSKeyFile, a.cfg.Agent.BearerTokenFile)
	return paths
}

// reload reads the configuration again and applies it as a whole, or not at
// all. It runs on the main loop.
func (a *agent) reload(files *watcher, why string) {
	a.systemd.reloading()
	defer a.systemd.ready()
	cfg, err := a.flags.load()
	if err != nil {
		a.log.Error().Err(err).Str("because", why).Msg("the new configuration is refused; the running one stays")
		return
	}
	moved := pageSettings(cfg.Agent) != pageSettings(a.cfg.Agent)
	if err := a.apply(cfg); err != nil {
		a.log.Error().Err(err).Str("because", why).Msg("the new configuration cannot be applied; the running one stays")
		return
	}
	files.follow(a.watched())
	a.log.Info().Str("because", why).Int("backends", len(a.targets)).Msg("configuration reloaded")
	if moved {
		a.log.Warn().Str("listen", cfg.Agent.Listen).Msg("listen, tls_cert_file, tls_key_file or bearer_token_file has changed; the status page follows at the next start")
	}
}

// apply makes everything new first, so that a fault leaves everything as it is.
func (a *agent) apply(cfg *config.Config) error {
	targets, err := newTargets(cfg, a.sim, a.targets)
	if err != nil {
		return err
	}
	if err := a.level.set(cfg.Agent.LogLevel); err != nil {
		return err
	}
	if err := a.bus.replace(busOptions(cfg, a.log)); err != nil {
		return err
	}
	if err := a.arrays.Apply(collectorTargets(targets)); err != nil {
		return err
	}
	logNotes(a.log, cfg, a.sim != nil)
	a.cfg, a.targets = cfg, targets
	a.current.Store(&targets)
	a.scheduler.Store(cfg)
	return nil
}

// pageSettings are what the status page is opened with. The contents of the
// files may change at any time; where they are may not.
func pageSettings(a config.Agent) [4]string {
	return [4]string{a.Listen, a.TLSCertFile, a.TLSKeyFile, a.BearerTokenFile}
}
