package cloud

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/poolcast/poolcast/integration/internal/keystone"
)

// zone is the zone of a volume that is created without one.
const zone = "dc1"

// databaseSettings are those that every service needs. The quotas of projects without
// their own are those of the time of the db sync.
func (c *Cloud) databaseSettings() string {
	return strings.Join([]string{
		"[DEFAULT]",
		"quota_volumes = -1",
		"quota_gigabytes = -1",
		"quota_snapshots = -1",
		"[database]",
		"connection = " + c.databaseURL(),
	}, "\n") + "\n"
}

// commonSettings are those of all services.
func (c *Cloud) commonSettings() string {
	text := c.databaseSettings() + strings.Join([]string{
		"[oslo_concurrency]",
		"lock_path = " + c.path("lock"),
		"[coordination]",
		"backend_url = file://" + c.path("lock"),
		"[DEFAULT]",
		"transport_url = " + c.Broker.TransportURL(),
		"storage_availability_zone = " + zone,
		"report_interval = 2",    // so that an ended service is soon seen to be down
		"service_down_time = 10", // of Cinder's 60
		"graceful_shutdown_timeout = 3",
		"periodic_fuzzy_delay = 0",
	}, "\n") + "\n"
	if c.opts.ReportInterval > 0 {
		// cinder/service.py runs what is due once per periodic_interval.
		text += fmt.Sprintf("backend_stats_polling_interval = %.0[1]f\nperiodic_interval = %.0[1]f\n", c.opts.ReportInterval.Seconds())
	}
	return text
}

// controllerSettings are the cinder.conf of cinder-api and cinder-scheduler.
func (c *Cloud) controllerSettings(port int) string {
	strategy := "noauth_include_project_id"
	var identity string
	if c.Keystone != nil {
		strategy, identity = "keystone", keystoneSettings(c.Keystone)
	}
	return c.commonSettings() + strings.Join([]string{
		"host = controller",
		"state_path = " + c.dir,
		"auth_strategy = " + strategy,
		"api_paste_config = " + filepath.Join(filepath.Dir(filepath.Dir(c.python)), "etc/cinder/api-paste.ini"),
		"resource_query_filters_file = " + filepath.Join(filepath.Dir(filepath.Dir(c.python)), "etc/cinder/resource_filters.json"),
		"osapi_volume_listen = 127.0.0.1",
		fmt.Sprintf("osapi_volume_listen_port = %d", port),
		"osapi_volume_workers = 1",
	}, "\n") + "\n" + identity + lastSettings(c.opts.Settings)
}

// keystoneSettings are those with which cinder-api checks tokens. The type of the service
// is needed for the access rules of application credentials.
func keystoneSettings(k *keystone.Keystone) string {
	return strings.Join([]string{
		"[keystone_authtoken]",
		"auth_type = password",
		"auth_url = " + k.URL,
		"www_authenticate_uri = " + k.URL,
		"username = " + k.Admin.Name,
		"password = " + k.Admin.Password,
		"project_name = " + k.Admin.Name,
		"user_domain_id = default",
		"project_domain_id = default",
		"service_type = volumev3",
	}, "\n") + "\n"
}

// hostSettings are the cinder.conf of a host.
func (c *Cloud) hostSettings(h *RunningHost) string {
	c.t.Helper()
	lines := []string{
		"host = " + h.Name,
		"enabled_backends = " + strings.Join(h.Backends, ","),
		"state_path = " + h.dir,
	}
	if c.opts.Cluster != "" {
		lines = append(lines, "cluster = "+c.opts.Cluster)
	}
	lines = append(lines, "[poolcast]", fmt.Sprintf("listen = 127.0.0.1:%d", h.port), "poll_interval = 3s")
	lines = append(lines, c.opts.Agent...)
	lines = append(lines,
		"[backend_defaults]",
		"volume_driver = cinder.volume.drivers.pure.PureISCSIDriver",
		"volume_backend_name = "+Pool)
	for _, name := range h.Backends {
		a := c.served(name)
		lines = append(lines, "["+name+"]", "san_ip = "+a.address, "pure_api_token = simulated")
		if a.Zone != "" {
			lines = append(lines, "backend_availability_zone = "+a.Zone)
		}
		for _, r := range a.Replicas {
			lines = append(lines, fmt.Sprintf("replication_device = backend_id:%s,san_ip:%s,api_token:simulated,type:%s", r.Stanza, c.served(r.Stanza).address, r.Type))
		}
		lines = append(lines, a.Settings...)
	}
	return c.commonSettings() + strings.Join(lines, "\n") + "\n" + lastSettings(c.opts.Settings) + lastSettings(h.Settings)
}

// lastSettings are lines that replace earlier ones of the same option.
func lastSettings(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "[DEFAULT]\n" + strings.Join(lines, "\n") + "\n"
}
