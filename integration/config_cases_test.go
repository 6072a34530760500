//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/config"
)

// corpusReadings are the files of config/testdata and examples.
func corpusReadings(t *testing.T) []reading {
	t.Helper()
	differences := map[string]reading{
		"comments.good.conf":       {differs: "is read without the comment after it"},
		"published.good.conf":      {differs: "is read as the JSON object"},
		"published-same-name.conf": {differs: "is read as the JSON object"},
		"implied.good.conf":        {differs: "is missing, and poolcast uses every section"},
		"older_names.good.conf":    {differs: "is an old name of", differsSince: 25},
		"nvme_tcp.good.conf":       {since: 24},
		"load.bad.conf":            {differs: "load_class_limits"},
		"own.bad.conf":             {differs: "is not an option of poolcast"},
		"timing.bad.conf":          {differs: "is not shorter than poll_interval"},
	}
	var readings []reading
	for _, pattern := range []string{"../config/testdata/*.conf", "../examples/*.conf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files match %s: %v", pattern, err)
		}
		for _, path := range paths {
			r := differences[filepath.Base(path)]
			r.name, r.inputs = filepath.Base(path), config.Files(path)
			readings = append(readings, r)
		}
	}
	return readings
}

// base is valid; a snippet is appended to it.
const base = `[DEFAULT]
enabled_backends = a
host = ctl1
storage_availability_zone = zone
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
[a]
san_ip = 10.0.0.1
pure_api_token = t
`

// snippets are changes to base, mostly one mistake each.
var snippets = []struct{ name, text, differs string }{
	{"nothing", "", ""},
	// Syntax.
	{"colon", "[a]\nvolume_backend_name: x = y\n", ""},
	{"equals before colon", "[a]\nvolume_backend_name = x : y\n", ""},
	{"quotes", "[a]\nvolume_backend_name = \"x\" \n", ""},
	{"unequal quotes", "[a]\nvolume_backend_name = \"x'\n", ""},
	{"one quote", "[a]\nvolume_backend_name = \"\n", ""},
	{"quotes of a first line only", "[a]\nfilter_function = \"x\"\n  \"y\"\n", ""},
	{"quotes over two lines", "[a]\nfilter_function = \"x\n  y\"\n", ""},
	{"continuation with a tab", "[a]\nfilter_function = x\n\ty\n \t z\n", ""},
	{"continuation of nothing", "[a]\nfilter_function =\n  y\n", ""},
	{"blank line in a continuation", "[a]\nfilter_function = x\n\n  y\n", ""},
	{"line of spaces in a continuation", "[a]\nfilter_function = x\n   \n  y\n", ""},
	{"comment in a continuation", "[a]\nfilter_function = x\n# c\n  y\n", ""},
	{"continuation of a header", "[a]\n  y\n", ""},
	{"trailing spaces", "[a]   \nvolume_backend_name = x   \n", ""},
	{"spaces in a header", "[ a ]\nvolume_backend_name = x\n", ""},
	{"header and more", "[a] x\n", ""},
	{"header without a name", "[]\n", ""},
	{"header not closed", "[b\n", ""},
	{"no assignment", "[a]\nwords\n", ""},
	{"empty key", "[a]\n= x\n", ""},
	{"semicolon comment", "[a]\n; x\n;y = z\n", ""},
	{"repeated key", "[a]\nvolume_backend_name = x\nvolume_backend_name = y\n", ""},
	{"repeated section", "[a]\nvolume_backend_name = x\n[b]\n[a]\nreserved_percentage = 3\n", ""},
	{"section in capitals", "[A]\nvolume_backend_name = x\n", ""},
	{"default in small letters", "[default]\nhost = other\n", ""},
	{"key in capitals", "[a]\nReserved_Percentage = x\n", ""},
	{"no-break space", "[a]\nvolume_backend_name =\u00a0x\u00a0\n", ""},
	{"form feed and information separator", "[a]\nvolume_backend_name = \fx\x1c\n", ""},
	{"vertical tab begins a line", "\vx = y\n", ""},
	{"old Mac lines", "[a]\rvolume_backend_name = x\r", ""},
	{"line separator", "[a]\nvolume_backend_name = x\u2028y = z\n", ""},
	{"no end of line", "[a]\nvolume_backend_name = x", ""},
	{"two pairs", "[a]\nvolume_backend_name = x reserved_percentage = 3\n", "shares its line with reserved_percentage"},
	{"comment after a name", "[a]\nvolume_backend_name = x # y\n", ""},
	{"semicolon after a name", "[a]\nvolume_backend_name = x ; y\n", ""},
	{"comment after a zone", "[a]\nbackend_availability_zone = x # y\n", ""},
	{"comment after a function", "[a]\nfilter_function = 1 < 2 # y\n", ""},
	{"comment after the host", "[DEFAULT]\nhost = x # y\n", ""},
	{"comment after the cluster", "[DEFAULT]\ncluster = x # y\n", ""},
	{"comment after a number", "[a]\nreserved_percentage = 5 # y\n", "without the comment"},
	{"semicolon after a number", "[a]\nreserved_percentage = 5 ; y\n", "without the comment"},
	{"hash without a space", "[a]\nvolume_backend_name = x#y\n", ""},
	{"JSON not indented", "[a]\nextra_capabilities = {\n\"a\": 1\n}\n", "is read as the JSON object"},
	{"JSON with its brace in the first column", "[a]\nextra_capabilities = {\n  \"a\": 1\n}\n", "is read as the JSON object"},
	{"JSON indented", "[a]\nextra_capabilities = {\n  \"a\": 1\n }\n", ""},
	// Types.
	{"boolean words", "[a]\ndriver_ssl_cert_verify = oN\n", ""},
	{"boolean letter", "[a]\ndriver_ssl_cert_verify = t\n", ""},
	{"boolean 2", "[a]\ndriver_ssl_cert_verify = 2\n", ""},
	{"boolean empty", "[a]\ndriver_ssl_cert_verify =\n", ""},
	{"boolean with a space inside quotes", "[a]\ndriver_ssl_cert_verify = \" true\"\n", ""},
	{"integer signed", "[a]\nreserved_percentage = +5\n", ""},
	{"integer negative", "[a]\nreserved_percentage = -1\n", ""},
	{"integer zero", "[a]\nreserved_percentage = -0\n", ""},
	{"integer with zeros", "[a]\nreserved_percentage = 007\n", ""},
	{"integer underscored", "[a]\nreserved_percentage = 1_0\n", ""},
	{"integer underscored thrice", "[DEFAULT]\nbackend_stats_polling_interval = 1_0_0_0\n", ""},
	{"integer badly underscored", "[a]\nreserved_percentage = 1__0\n", ""},
	{"integer hexadecimal", "[a]\nreserved_percentage = 0x10\n", ""},
	{"integer with a point", "[a]\nreserved_percentage = 5.0\n", ""},
	{"integer too large", "[a]\nreserved_percentage = 101\n", ""},
	{"integer spaced inside quotes", "[a]\nreserved_percentage = \" 5 \"\n", ""},
	{"integer empty", "[a]\nreserved_percentage =\n[backend_defaults]\nreserved_percentage = 9\n", ""},
	{"integer empty in the last place", "[backend_defaults]\nreserved_percentage =\n", "is not a number, and Cinder"},
	{"polling below its minimum", "[DEFAULT]\nbackend_stats_polling_interval = 2\n", ""},
	{"polling empty", "[DEFAULT]\nbackend_stats_polling_interval =\n", "is not a number, and Cinder"},
	{"float forms", "[DEFAULT]\ncapacity_weight_multiplier = 1e3\nallocated_capacity_weight_multiplier = .5\nvolume_number_multiplier = 5.\n", ""},
	{"float underscored", "[DEFAULT]\ncapacity_weight_multiplier = 1_0.0_1\n", ""},
	{"float hexadecimal", "[DEFAULT]\ncapacity_weight_multiplier = 0x1p-2\n", ""},
	{"float infinite", "[DEFAULT]\ncapacity_weight_multiplier = inf\n", "is not a number"},
	{"float word", "[DEFAULT]\ncapacity_weight_multiplier = one\n", ""},
	{"float above its maximum", "[oslo_messaging_rabbit]\nkombu_reconnect_delay = 4.6\n", ""},
	{"list", "[DEFAULT]\nscheduler_default_filters = a, b ,,c,,\n", ""},
	{"list quoted", "[DEFAULT]\nscheduler_default_filters = \"a\", 'b,c'\n", ""},
	{"list of nothing", "[DEFAULT]\nscheduler_default_weighers =\n", ""},
	{"choice", "[oslo_messaging_rabbit]\nrabbit_login_method = PLAIN\n", ""},
	{"choice in small letters", "[oslo_messaging_rabbit]\nrabbit_login_method = plain\n", ""},
	{"choice empty", "[a]\npure_nvme_transport =\n", ""},
	{"ratio auto", "[a]\nmax_over_subscription_ratio = auto\n", ""},
	{"ratio with a bare point", "[a]\nmax_over_subscription_ratio = 20.\n", ""},
	{"ratio below 1", "[a]\nmax_over_subscription_ratio = 0.99\n", ""},
	{"ratio negative", "[a]\nmax_over_subscription_ratio = -2\n", ""},
	{"ratio empty", "[a]\nmax_over_subscription_ratio =\n", ""},
	{"ratio of the scheduler", "[DEFAULT]\nmax_over_subscription_ratio = 5\n", ""},
	// Dictionaries.
	{"device", "[a]\nreplication_device = backend_id:b,san_ip:10.0.0.2,api_token:x:y\n", ""},
	{"device spaced", "[a]\nreplication_device = backend_id : b , san_ip : 10.0.0.2 ,\n api_token : x \n", ""},
	{"device with a comma in a name", "[a]\nreplication_device = x,backend_id:b,san_ip:10.0.0.2,api_token:x\n", ""},
	{"device ends loose", "[a]\nreplication_device = backend_id:b,san_ip:10.0.0.2,api_token:x,y\n", ""},
	{"device with a comma at its end", "[a]\nreplication_device = backend_id:b,san_ip:10.0.0.2,api_token:x,\n", ""},
	{"device repeats a name", "[a]\nreplication_device = backend_id:b,backend_id:b,san_ip:10.0.0.2,api_token:x\n", ""},
	{"device without a name", "[a]\nreplication_device = :b,san_ip:10.0.0.2,api_token:x\n", ""},
	{"device without a token", "[a]\nreplication_device = backend_id:b,san_ip:10.0.0.2\n", ""},
	{"device empty", "[a]\nreplication_device =\n", ""},
	{"devices in both sections", "[a]\nreplication_device = backend_id:b,san_ip:10.0.0.2,api_token:x\n[backend_defaults]\nreplication_device = backend_id:c,san_ip:10.0.0.3,api_token:x\n", ""},
	{"devices shared", "[backend_defaults]\nreplication_device = backend_id:c,san_ip:10.0.0.3,api_token:x,uniform:Y\nreplication_device = backend_id:d,san_ip:10.0.0.4,api_token:x,uniform:2\n", ""},
	// extra_capabilities.
	{"JSON", "[a]\nextra_capabilities = {\"a\": 1, \"a\": 2, \"f\": 1e2, \"n\": null}\n", ""},
	{"JSON of nothing", "[a]\nextra_capabilities =\n", ""},
	{"JSON with equals", "[a]\nextra_capabilities = {\"a\"=1}\n", ""},
	{"JSON in single quotes", "[a]\nextra_capabilities = {'a': 1}\n", ""},
	{"JSON with a last comma", "[a]\nextra_capabilities = {\"a\": 1,}\n", ""},
	{"JSON quoted", "[a]\nextra_capabilities = '{\"a\": 1}'\n", ""},
	{"JSON list", "[a]\nextra_capabilities = []\n", ""},
	{"JSON null", "[a]\nextra_capabilities = null\n", ""},
	{"JSON not a number", "[a]\nextra_capabilities = {\"a\": NaN}\n", "is read without \"a\""},
	{"an unknown type of replication", "[a]\nreplication_device = backend_id:x,san_ip:10.0.0.9,api_token:u,type:Sync\n", "read as async"},
	{"a port of nothing", "[DEFAULT]\ntransport_url = rabbit://u:p@h:/\n", ""},
	// Defaults and inheritance.
	{"host empty", "[DEFAULT]\nhost =\n", ""},
	{"cluster", "[DEFAULT]\ncluster = c\n", ""},
	{"cluster blank", "[DEFAULT]\ncluster = \"  \"\n", ""},
	{"backend_host", "[a]\nbackend_host = other\n", ""},
	{"backend_host shared", "[backend_defaults]\nbackend_host = other\n", ""},
	{"zone empty", "[a]\nbackend_availability_zone =\n[backend_defaults]\nbackend_availability_zone = shared\n", ""},
	{"zone shared", "[backend_defaults]\nbackend_availability_zone = shared\n", ""},
	{"not inherited", "[DEFAULT]\nreserved_percentage = 5\ndriver_ssl_cert_verify = true\nvolume_backend_name = x\n", ""},
	{"functions inherited", "[DEFAULT]\nfilter_function = 1\ngoodness_function = 2\n[backend_defaults]\nfilter_function = 3\n", ""},
	{"function empty", "[DEFAULT]\nfilter_function = 1\n[a]\nfilter_function =\n[backend_defaults]\nfilter_function = 3\n", ""},
	{"enabled twice", "[DEFAULT]\nenabled_backends = a,a\n", "lists \"a\" twice"},
	{"enabled not at all", "[DEFAULT]\nenabled_backends =\n[a]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n", "is missing, and poolcast uses every section"},
	{"another driver", "[a]\nvolume_driver = cinder.volume.drivers.rbd.RBDDriver\n", ""},
	{"address with a scheme", "[a]\nsan_ip = https://10.0.0.1\n", "is a URL"},
	{"no address", "[a]\nsan_ip =\n", "san_ip is missing"},
	// Substitution.
	{"name", "[a]\nvolume_backend_name = x$san_ip/${host}\n", ""},
	{"name of another section", "[a]\nvolume_backend_name = ${backend_defaults.reserved_percentage}-x\n", ""},
	{"name of the default section", "[a]\nvolume_backend_name = $DEFAULT.host\n", ""},
	{"name in capitals", "[a]\nvolume_backend_name = $SAN_IP\n", ""},
	{"dollars", "[a]\nvolume_backend_name = a$$b\\$c$ $1 ${ $\n", ""},
	{"name unset in the section", "[a]\nvolume_backend_name = <$reserved_percentage>\n[backend_defaults]\nreserved_percentage = 9\n", ""},
	{"name of a boolean", "[backend_defaults]\nvolume_backend_name = $driver_ssl_cert_verify\n", ""},
	{"name of a float", "[DEFAULT]\nstorage_availability_zone = $capacity_weight_multiplier\n", ""},
	{"name of a list", "[DEFAULT]\nstorage_availability_zone = $scheduler_default_filters\n", ""},
	{"name of nothing", "[a]\nvolume_backend_name = $no_such_option\n", ""},
	{"name of no section", "[a]\nvolume_backend_name = ${no_such.option}\n", ""},
	{"name of itself", "[DEFAULT]\nhost = $host\n", ""},
	{"name of itself twice", "[DEFAULT]\nhost = $host$host\n", ""},
	{"names in a circle", "[DEFAULT]\nhost = $cluster\ncluster = $storage_availability_zone\nstorage_availability_zone = $host\n", ""},
	{"name twice", "[DEFAULT]\nhost = $cluster$cluster\ncluster = c$storage_availability_zone\n", ""},
	{"name of a wrong value", "[a]\nvolume_backend_name = $reserved_percentage\nreserved_percentage = x\n", ""},
	{"name with a dot after it", "[a]\nvolume_backend_name = $san_ip.\n", ""},
	{"name in a name", "[a]\nsan_ip = 10.0.0.$reserved_percentage\nreserved_percentage = $host\n[DEFAULT]\nhost = 7\n", ""},
	{"name in a token", "[a]\npure_api_token = ab$cd\n", ""},
	{"name of an unknown option that is set", "[DEFAULT]\nmy_own = x\n[a]\nvolume_backend_name = $my_own\n", "is not a known option, and its value replaces"},
	{"default of a path", "[a]\ndriver_ssl_cert_path = $state_path/ca\ndriver_ssl_cert_verify = true\n", ""},
	// The bus.
	{"reconnectBound", "[oslo_messaging_rabbit]\nkombu_reconnect_delay = .5\nssl = 1\nheartbeat_timeout_threshold = 0\n", ""},
	{"older and newer place", "[DEFAULT]\nrabbit_retry_backoff = 3\n[oslo_messaging_rabbit]\nrabbit_retry_backoff = 4\n", ""},
	{"exchange", "[DEFAULT]\ncontrol_exchange = cinder\n", ""},
}

func snippetReadings(t *testing.T) []reading {
	t.Helper()
	var readings []reading
	for _, s := range snippets {
		readings = append(readings, reading{name: s.name, inputs: config.Files(write(t, base+s.text)), differs: s.differs})
	}
	return append(readings,
		reading{
			name: "older place", inputs: config.Files(write(t, base+"[DEFAULT]\nrabbit_retry_backoff = 3\nrabbit_login_method = PLAIN\n")),
			differs: "is an old name of", differsSince: 25,
		},
		reading{name: "byte order mark", inputs: config.Files(write(t, "\ufeff"+base)), differs: "byte order mark"},
		reading{name: "before any section", inputs: config.Files(write(t, "x = y\n"+base))},
		reading{name: "empty file", inputs: config.Files(write(t, "")), differs: "is missing, and no section"},
		reading{name: "no file", inputs: config.Files(filepath.Join(t.TempDir(), "none.conf"))},
		reading{name: "a folder for a file", inputs: config.Files(t.TempDir())},
	)
}

// urls are values of transport_url.
var urls = []struct {
	text, differs string
}{
	{"rabbit://", ""},
	{"rabbit:///vh", ""},
	{"rabbit:/vh", ""},
	{"rabbit://h", ""},
	{"rabbit://h/", ""},
	{"rabbit://h//", ""},
	{"rabbit://h/%2F", ""},
	{"rabbit://h/a%2Fb/c", ""},
	{"rabbit://h:5673/vh", ""},
	{"RABBIT://u:p@h/vh", ""},
	{"rabbit://u@h/", ""},
	{"rabbit://:p@h/", ""},
	{"rabbit://@h/", ""},
	{"rabbit://u:@h/", ""},
	{"rabbit://u:p@h1,h2/", ""},
	{"rabbit://u:p@h1:1,v:q@h2:2,,w:r@h3/vh", ""},
	{"rabbit://u%40x:p%3A%2F%2540@h/", ""},
	{"rabbit://u:p%zz%4@h/", ""},
	{"rabbit://u:caf%C3%A9%ff@h/", ""},
	{"rabbit://u@x:p@h/", ""},
	{"rabbit://u:p:q@h/", ""},
	{"rabbit://u:p@[::1]:5673/", ""},
	{"rabbit://u:p@[2001:db8::1]/vh", ""},
	{"rabbit://u:p@[::1]:5672,u:p@[::2]:5673/vh", ""},
	{"rabbit://u:p@h/vh?ssl=1&heartbeat_timeout_threshold=7", ""},
	{"rabbit://u:p@h/?ssl=true&ssl_ca_file=%2Fca+x&ssl_ca_file=b", ""},
	{"rabbit://u:p@h/?ssl=", ""},
	{"rabbit://u:p@h/?no_such=1", ""},
	{"rabbit://u:p@h/?ssl=perhaps", ""},
	{"rabbit://u:p@h/vh#fragment", ""},
	{"rabbit://u:p$$q@h/", ""},
	{"rabbit://u:p@h:port/", ""},
	{"rabbit://u:p#q@h/", ""},
	{"u:p@h", "is not for RabbitMQ"},
	{"//u:p@h", ""},
	{"kafka://h", "is not for RabbitMQ"},
}

func urlReadings(t *testing.T) []reading {
	t.Helper()
	var readings []reading
	path := write(t, base)
	for _, u := range urls {
		readings = append(readings, reading{
			name: "url " + strings.ReplaceAll(u.text, "/", "|"), inputs: config.Files(path), differs: u.differs,
			environ: map[string]string{"OS_DEFAULT__TRANSPORT_URL": u.text},
		})
	}
	return append(readings, reading{
		// Older oslo.messaging takes db8::1 for the port.
		name: "url with IPv6 without brackets", inputs: config.Files(path), since: 25,
		environ: map[string]string{"OS_DEFAULT__TRANSPORT_URL": "rabbit://u:p@2001:db8::1/vh"},
	})
}

// orderReadings are about several files, folders and the environment.
func orderReadings(t *testing.T) []reading {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"10-a.conf":    "[a]\nvolume_backend_name = ten\nreserved_percentage = 10\nreplication_device = backend_id:ten,san_ip:10.0.0.2,api_token:x\n",
		"9-b.conf":     "[a]\nvolume_backend_name = nine\nreplication_device = backend_id:nine,san_ip:10.0.0.2,api_token:x\n",
		".hidden.conf": "[a]\nvolume_backend_name = hidden\n",
		"other.txt":    "[a]\nvolume_backend_name = other\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := config.Input{Path: write(t, base+"replication_device = backend_id:base,san_ip:10.0.0.2,api_token:x\nvolume_backend_name = base\n")}
	second := config.Input{Path: write(t, "[A]\nvolume_backend_name = second\n[backend_defaults]\nreserved_percentage = 2\n")}
	dir := config.Input{Path: folder, Dir: true}
	older := config.Input{Path: write(t, "[DEFAULT]\nrabbit_login_method = PLAIN\n")}
	newer := config.Input{Path: write(t, base+"[oslo_messaging_rabbit]\nrabbit_login_method = EXTERNAL\n")}
	path := []config.Input{first}
	return []reading{
		{name: "two files", inputs: []config.Input{first, second}},
		{name: "two files the other way", inputs: []config.Input{second, first}},
		{name: "file and folder", inputs: []config.Input{first, dir}},
		{name: "folder and file", inputs: []config.Input{dir, first}},
		{name: "folder between files", inputs: []config.Input{first, dir, second}},
		{name: "no folder", inputs: []config.Input{first, {Path: filepath.Join(folder, "none"), Dir: true}}},
		{name: "older name in a later file", inputs: []config.Input{newer, older}, differs: "is an old name of", differsSince: 25},
		{name: "older name in an earlier file", inputs: []config.Input{older, newer}},
		{name: "environment", inputs: path, environ: map[string]string{"OS_DEFAULT__HOST": "env", "OS_A__SAN_IP": "10.9.9.9", "OS_BACKEND_DEFAULTS__RESERVED_PERCENTAGE": "4"}},
		{name: "environment over a section", inputs: path, environ: map[string]string{"OS_A__VOLUME_BACKEND_NAME": "\"$san_ip # x\""}},
		{name: "environment empty", inputs: path, environ: map[string]string{"OS_A__VOLUME_BACKEND_NAME": "", "OS_DEFAULT__CLUSTER": ""}},
		{name: "environment in small letters", inputs: path, environ: map[string]string{"os_a__volume_backend_name": "x", "OS_a__VOLUME_BACKEND_NAME": "x"}},
		{name: "environment makes a section", inputs: path, environ: map[string]string{"OS_DEFAULT__ENABLED_BACKENDS": "z-1", "OS_Z-1__SAN_IP": "10.0.0.8", "OS_Z-1__PURE_API_TOKEN": "z"}},
		{name: "environment with a wrong value", inputs: path, environ: map[string]string{"OS_A__RESERVED_PERCENTAGE": "x"}},
		{name: "environment for several values", inputs: path, environ: map[string]string{"OS_A__REPLICATION_DEVICE": "backend_id:x,san_ip:10.0.0.2,api_token:x"}},
		{name: "environment by an older name", inputs: path, environ: map[string]string{"OS_DEFAULT__RABBIT_LOGIN_METHOD": "PLAIN"}},
	}
}

// randomConf puts lines together. None of them is one that poolcast alone repairs or
// refuses.
func randomConf(r *rand.Rand) string {
	lines := []string{
		"[a]", "[A]", "[DEFAULT]", "[backend_defaults]", "[oslo_messaging_rabbit]", "[else]",
		"", "  ", "# comment", "; comment = x",
		"volume_backend_name = pool", "volume_backend_name: 'a:b'", "volume_backend_name = \"$host-$san_ip\"", "volume_backend_name =",
		"reserved_percentage = 5", "reserved_percentage = $rabbit", "reserved_percentage : 1_5",
		"filter_function = capabilities.x < 5", "  and more", "\tand $$more", "  \"tail\"",
		"goodness_function = ${backend_defaults.reserved_percentage} * 2", "goodness_function = $driver_ssl_cert_verify",
		"extra_capabilities = {\"a\": [1, 2.0, \"x\"]}", "extra_capabilities = {\"host\": \"$host\"}",
		"driver_ssl_cert_verify = yes", "driver_ssl_cert_verify = OFF", "driver_ssl_cert_verify = 1",
		"replication_device = backend_id:r$reserved_percentage,san_ip:10.0.0.7,api_token:k", "replication_device=backend_id:q,san_ip:10.0.0.8:84,api_token:k:l,uniform:on",
		"backend_host = bh", "backend_availability_zone = az", "host = other", "cluster = c", "storage_availability_zone = s",
		"default_availability_zone = $storage_availability_zone", "default_availability_zone =", "default_volume_type = t", "allow_availability_zone_fallback = on",
		"cloned_volume_same_az = 0", "snapshot_same_host = No",
		"max_over_subscription_ratio = 3", "max_over_subscription_ratio = auto", "capacity_weight_multiplier = -.5", "scheduler_default_filters = A, B,",
		"ssl = true", "heartbeat_timeout_threshold = 9", "kombu_failover_strategy = shuffle", "rabbit_transient_quorum_queue = true",
	}
	rare := []string{"words", "= x", "[open", "driver_ssl_cert_verify = ja", "reserved_percentage = 101", "host = $nobody", "replication_device = x", "\ufefftext"}
	var b strings.Builder
	b.WriteString(base)
	for range 4 + r.IntN(20) {
		from := lines
		if r.IntN(40) == 0 {
			from = rare
		}
		fmt.Fprintln(&b, from[r.IntN(len(from))])
	}
	return b.String()
}
