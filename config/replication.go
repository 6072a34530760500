package config

import (
	"cmp"
	"fmt"
)

// Replication is what the driver would report of a backend's partners.
type Replication struct {
	Devices []ReplicationDevice
	// TriSync is whether pure_trisync_enabled takes effect: exactly two
	// devices, of different types, with different tokens (drivers/pure.py,
	// do_setup_trisync).
	TriSync bool
}

// ReplicationDevice is one replication_device.
type ReplicationDevice struct {
	BackendID string
	Address   Address
	Token     Secret
	Type      string // async or sync
}

func (s scope) replication() Replication {
	var r Replication
	var types []string // as written
	for _, dict := range s.dicts("replication_device") {
		if device, ok := s.replicationDevice(dict); ok {
			r.Devices = append(r.Devices, device)
			types = append(types, dict.v["type"])
		}
	}
	if on := s.boolean("pure_trisync_enabled"); on.v {
		r.TriSync = len(r.Devices) == 2 && cmp.Or(types[0], "async") != cmp.Or(types[1], "async") &&
			!r.Devices[0].Token.Equal(r.Devices[1].Token)
		if !r.TriSync {
			s.record.warn(s.subject(on.at, "pure_trisync_enabled"),
				"has no effect without exactly two replication devices, one sync and one async, with tokens of their own",
				"logs an error and goes on without it")
		}
	}
	return r
}

func (s scope) replicationDevice(dict value[map[string]string]) (ReplicationDevice, bool) {
	if dict.bad {
		return ReplicationDevice{}, false
	}
	at, ok := s.subject(dict.at, "replication_device"), true
	for _, key := range []string{"backend_id", "san_ip", "api_token"} {
		if dict.v[key] == "" {
			ok = false
			s.record.fault(at, "Write backend_id:…,san_ip:…,api_token:… and, if need be, type, uniform, ssl_cert_verify and ssl_cert_path.", fmt.Errorf("has no %s", key))
		}
	}
	for key := range dict.v {
		s.checkDeviceKey(at, key)
	}
	d := ReplicationDevice{BackendID: dict.v["backend_id"], Token: NewSecret(dict.v["api_token"]), Type: dict.v["type"]}
	if d.Type != "sync" && d.Type != "async" {
		if d.Type != "" {
			s.record.note(at, Warning{
				Message: "has the type " + shorten(d.Type) + ", which is taken for async", Cinder: "does the same", Hint: "Write type:async or type:sync.",
			})
		}
		d.Type = "async"
	}
	if !ok {
		return d, false
	}
	var err error
	if d.Address, err = parseAddress(dict.v["san_ip"]); err != nil {
		s.record.fault(at, "Write san_ip:host or san_ip:host:port.", fmt.Errorf("has a san_ip that %w", err))
	}
	return d, err == nil
}

// checkDeviceKey warns of a name that is nearly one of the driver's.
func (s scope) checkDeviceKey(at subject, key string) {
	known := []string{"backend_id", "san_ip", "api_token", "type", "uniform", "ssl_cert_verify", "ssl_cert_path"}
	if near := nearest(key, known); near != "" {
		s.record.warn(at, "has a name that is nearly "+near+", and is not used", "does not use it either")
	}
}
