package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// A setting is one value that a flag and a variable of the environment can set.
type setting struct {
	flag   string // "" for what no flag may set
	usage  string
	secret bool // it may also come from a file, and no flag has it
	at     func(*Config) any
}

// env returns the name of the setting's variable.
func (s setting) env() string {
	return "CACHEMESH_" + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
}

var settings = []setting{
	{"name", "the member's own name, the same after a restart (default: its address)", false, func(c *Config) any { return &c.Name }},
	{"mesh", "name of the mesh; members of another are not let in", false, func(c *Config) any { return &c.Mesh }},
	{"listen", "host:port for other members, TCP and UDP", false, func(c *Config) any { return &c.Listen }},
	{"advertise", "host:port at which other members reach this one", false, func(c *Config) any { return &c.Advertise }},
	{"bootstrap", "host:port of any members of the mesh, separated by commas", false, func(c *Config) any { return &c.Bootstrap }},
	{"join-timeout", "how long to wait for one of them", false, func(c *Config) any { return &c.JoinTimeout }},
	{"require-join", "end with an error if none of them answers", false, func(c *Config) any { return &c.RequireJoin }},
	{"may-found", "begin a mesh if none of them answers, though they may be alive", false, func(c *Config) any { return &c.MayFound }},
	{"secret", "what all members know, 16 bytes or more", true, func(c *Config) any { return &c.Secret }},
	{"secret-file", "file that holds what all members know, 16 bytes or more", false, func(c *Config) any { return &c.SecretFile }},
	{"accept-secret-files", "files of secrets accepted besides, separated by commas", false, func(c *Config) any { return &c.AcceptSecretFiles }},
	{"tls-cert", "certificate for other members (PEM file)", false, func(c *Config) any { return &c.TLS.Cert }},
	{"tls-key", "its key", false, func(c *Config) any { return &c.TLS.Key }},
	{"tls-ca", "who signs the members' certificates", false, func(c *Config) any { return &c.TLS.CA }},
	{"tls-server-name", "the one name in all members' certificates (default: the host of each address)", false, func(c *Config) any { return &c.TLS.ServerName }},
	{"max-bytes", "memory of the default group (default: 64MiB, or a part of total-bytes)", false, func(c *Config) any { return &c.MaxBytes }},
	{"total-bytes", "memory of all groups together (default: each has its own)", false, func(c *Config) any { return &c.TotalBytes }},
	{"max-value-bytes", "the largest value", false, func(c *Config) any { return &c.MaxValueBytes }},
	{"ttl", "how long values of the default group live that are set without a time (default: until evicted)", false, func(c *Config) any { return &c.TTL }},
	{"kind", "of the default group: map, or cache with claims (default: map)", false, func(c *Config) any { return &c.Kind }},
	{"replicas", "how many members hold each value of the default group, if it is a map (default: 2, or as many as there are)", false, func(c *Config) any { return &c.Replicas }},
	{"not-found-ttl", "how long the default group remembers that there is no value, if it is a cache", false, func(c *Config) any { return &c.NotFoundTTL }},
	{"stale-for", "how long after its time a value of the default group is still there, if it is a cache", false, func(c *Config) any { return &c.StaleFor }},
	{"other-groups", "make a group when it is first used; all members must say the same", false, func(c *Config) any { return &c.OtherGroups.Allow }},
	{"other-groups-most", "how many groups are made so", false, func(c *Config) any { return &c.OtherGroups.Most }},
	{"other-groups-kind", "what they are: map or cache (default: map)", false, func(c *Config) any { return &c.OtherGroups.Kind }},
	{"other-groups-bytes", "memory of each", false, func(c *Config) any { return &c.OtherGroups.MaxBytes }},
	{"other-groups-ttl", "how long their values live that are set without a time (default: until evicted)", false, func(c *Config) any { return &c.OtherGroups.TTL }},
	{"other-groups-not-found-ttl", "how long they remember that there is no value, if they are caches", false, func(c *Config) any { return &c.OtherGroups.NotFoundTTL }},
	{"other-groups-stale-for", "how long after its time a value of theirs is still there, if they are caches", false, func(c *Config) any { return &c.OtherGroups.StaleFor }},
	{"shutdown-timeout", "how long a stop in order may take", false, func(c *Config) any { return &c.ShutdownTimeout }},
	{"redis-listen", "host:port for Redis clients; off: none", false, func(c *Config) any { return &c.Redis.Listen }},
	{"redis-socket", "path of a Unix socket for Redis clients", false, func(c *Config) any { return &c.Redis.Socket }},
	{"redis-password", "password of Redis clients", true, func(c *Config) any { return &c.Redis.Password }},
	{"redis-password-file", "file that holds the password of Redis clients", false, func(c *Config) any { return &c.Redis.PasswordFile }},
	{"redis-open", "let Redis clients of other machines in without a password", false, func(c *Config) any { return &c.Redis.Open }},
	{"redis-cert", "certificate for Redis clients, which then need TLS (PEM file)", false, func(c *Config) any { return &c.Redis.Cert }},
	{"redis-key", "its key", false, func(c *Config) any { return &c.Redis.Key }},
	{"redis-client-ca", "who signs the certificates that Redis clients must have", false, func(c *Config) any { return &c.Redis.ClientCA }},
	{"redis-group", "the group that Redis clients use", false, func(c *Config) any { return &c.Redis.Group }},
	{"redis-prefixes", "a key \"sessions:7\" is key \"7\" of the group \"sessions\", if that is configured", false, func(c *Config) any { return &c.Redis.Prefixes }},
	{"redis-max-clients", "how many Redis clients at once", false, func(c *Config) any { return &c.Redis.MaxClients }},
	{"redis-max-buffered", "memory for commands that Redis clients are sending, all together", false, func(c *Config) any { return &c.Redis.MaxBuffered }},
	{"redis-idle-timeout", "close a Redis connection that says nothing for so long (default: never)", false, func(c *Config) any { return &c.Redis.IdleTimeout }},
	{"redis-write-timeout", "close a Redis connection that takes no answer for so long", false, func(c *Config) any { return &c.Redis.WriteTimeout }},
	{"http-listen", "host:port of the HTTP API; off: none", false, func(c *Config) any { return &c.HTTP.Listen }},
	{"http-token", "token of HTTP clients", true, func(c *Config) any { return &c.HTTP.Token }},
	{"http-token-file", "file that holds the token of HTTP clients", false, func(c *Config) any { return &c.HTTP.TokenFile }},
	{"http-open", "let HTTP clients of other machines in without a token", false, func(c *Config) any { return &c.HTTP.Open }},
	{"dashboard", "on, off, or auto: on if other machines cannot reach the HTTP API", false, func(c *Config) any { return &c.HTTP.Dashboard }},
	{"log-level", "debug, info, warn or error", false, func(c *Config) any { return &c.Log.Level }},
	{"log-format", "text or json", false, func(c *Config) any { return &c.Log.Format }},
}

// set gives a setting of c a value.
func (s setting) set(c *Config, text string) (err error) {
	switch at := s.at(c).(type) {
	case *string:
		*at = text
	case *[]string:
		*at = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*at = append(*at, part)
			}
		}
	case *bool:
		*at, err = strconv.ParseBool(text)
	case *int:
		*at, err = strconv.Atoi(text)
	case *time.Duration:
		*at, err = time.ParseDuration(text)
	case *Size:
		*at, err = ParseSize(text)
	}
	return err
}

// get returns a setting of c as set reads it.
func (s setting) get(c *Config) string {
	switch at := s.at(c).(type) {
	case *[]string:
		return strings.Join(*at, ",")
	case *string:
		return *at
	case *bool:
		return strconv.FormatBool(*at)
	case *int:
		return strconv.Itoa(*at)
	case *time.Duration:
		if *at == 0 {
			return ""
		}
		return at.String()
	case *Size:
		if *at == 0 {
			return ""
		}
		return at.String()
	}
	return ""
}

// A flagValue is a setting as a flag: it keeps the text, and checks it at once.
type flagValue struct {
	s    setting
	text string
}

func (f *flagValue) String() string { return f.text }

func (f *flagValue) Set(text string) error {
	var c Config
	if err := f.s.set(&c, text); err != nil {
		return err
	}
	if _, list := f.s.at(&c).(*[]string); list && f.text != "" {
		text = f.text + "," + text
	}
	f.text = text
	return nil
}

func (f *flagValue) Type() string {
	switch f.s.at(&Config{}).(type) {
	case *bool:
		return "bool"
	case *int:
		return "number"
	case *time.Duration:
		return "time"
	case *Size:
		return "size"
	case *[]string:
		return "list"
	}
	return "text"
}

// AddFlags adds the flags of all settings, and --config.
func AddFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "YAML file of settings (CACHEMESH_CONFIG)")
	defaults := Default()
	for _, s := range settings {
		if s.secret {
			continue
		}
		value, usage := &flagValue{s: s}, s.usage
		if is := s.get(&defaults); is != "" && is != "false" {
			usage = fmt.Sprintf("%s (default: %s)", usage, is)
		}
		flag := flags.VarPF(value, s.flag, "", usage)
		if value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}
