// Package config says what a member is told: by flags, by CACHEMESH_* in the environment,
// by a YAML file, in this order, and by defaults where none of them says anything.
//
// A secret is given by a file (--secret-file, CACHEMESH_SECRET_FILE, secretFile), or by the
// environment or the YAML file itself; never by a flag, which other users of the machine see.
package config

import "time"

// Config is all that a member is told. The tags are the names in the YAML file.
type Config struct {
	Name      string   `yaml:"name"`
	Mesh      string   `yaml:"mesh"`
	Listen    string   `yaml:"listen"`
	Advertise string   `yaml:"advertise"`
	Bootstrap []string `yaml:"bootstrap"`

	JoinTimeout time.Duration `yaml:"joinTimeout"`
	RequireJoin bool          `yaml:"requireJoin"`
	MayFound    bool          `yaml:"mayFound"`

	Secret            string   `yaml:"secret"`
	SecretFile        string   `yaml:"secretFile"`
	AcceptSecretFiles []string `yaml:"acceptSecretFiles"`
	TLS               MeshTLS  `yaml:"tls"`

	MaxBytes        Size          `yaml:"maxBytes"`
	TotalBytes      Size          `yaml:"totalBytes"`
	MaxValueBytes   Size          `yaml:"maxValueBytes"`
	TTL             time.Duration `yaml:"ttl"`
	Kind            string        `yaml:"kind"` // this and the next are the default group's
	Replicas        int           `yaml:"replicas"`
	NotFoundTTL     time.Duration `yaml:"notFoundTTL"`
	StaleFor        time.Duration `yaml:"staleFor"`
	ShutdownTimeout time.Duration `yaml:"shutdownTimeout"`

	Redis  Redis   `yaml:"redis"`
	HTTP   HTTP    `yaml:"http"`
	Log    Log     `yaml:"log"`
	Groups []Group `yaml:"groups"`

	OtherGroups OtherGroups `yaml:"otherGroups"`
}

// MeshTLS protects what members say to each other. With CA it is mutual.
type MeshTLS struct {
	Cert       string `yaml:"cert"`
	Key        string `yaml:"key"`
	CA         string `yaml:"ca"`
	ServerName string `yaml:"serverName"`
}

// Redis is how Redis clients reach the member.
type Redis struct {
	Listen       string        `yaml:"listen"` // "" or "off": not by TCP
	Socket       string        `yaml:"socket"` // path of a Unix socket; "": none
	Password     string        `yaml:"password"`
	PasswordFile string        `yaml:"passwordFile"`
	Open         bool          `yaml:"open"`
	Cert         string        `yaml:"cert"`
	Key          string        `yaml:"key"`
	ClientCA     string        `yaml:"clientCA"`
	Group        string        `yaml:"group"`
	Prefixes     bool          `yaml:"prefixes"` // a key "sessions:7" is key "7" of the group "sessions", if that is in Groups
	MaxClients   int           `yaml:"maxClients"`
	MaxBuffered  Size          `yaml:"maxBuffered"`
	IdleTimeout  time.Duration `yaml:"idleTimeout"`
	WriteTimeout time.Duration `yaml:"writeTimeout"`
}

// HTTP is how HTTP clients, and the commands of this program, reach the member.
type HTTP struct {
	Listen    string `yaml:"listen"` // "" or "off": not at all
	Token     string `yaml:"token"`
	TokenFile string `yaml:"tokenFile"`
	Open      bool   `yaml:"open"`
	Dashboard string `yaml:"dashboard"` // on, off, or auto: on if other machines cannot reach it
}

// ShowsDashboard reports whether browsers may see the dashboard.
func (h HTTP) ShowsDashboard() bool {
	return h.Dashboard == "on" || h.Dashboard != "off" && onlyHere(h.Listen)
}

// Log says what is logged, to standard error.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// What a group is.
const (
	Map   = "map"   // it keeps what was set, and hands it over
	Cache = "cache" // its values are loaded by whoever has a claim, and may be forgotten
)

// Group is a group besides the default one.
type Group struct {
	Name        string        `yaml:"name"`
	Kind        string        `yaml:"kind"` // Map, the default, or Cache
	MaxBytes    Size          `yaml:"maxBytes"`
	TTL         time.Duration `yaml:"ttl"`
	Replicas    int           `yaml:"replicas"`    // of a Map
	NotFoundTTL time.Duration `yaml:"notFoundTTL"` // of a Cache, as StaleFor
	StaleFor    time.Duration `yaml:"staleFor"`
	NoHotCopies bool          `yaml:"noHotCopies"`
}

// OtherGroups are those that are made when they are first used.
type OtherGroups struct {
	Allow       bool          `yaml:"allow"`
	Most        int           `yaml:"most"` // of them
	Kind        string        `yaml:"kind"` // this and what follows as in Group
	MaxBytes    Size          `yaml:"maxBytes"`
	TTL         time.Duration `yaml:"ttl"`
	NotFoundTTL time.Duration `yaml:"notFoundTTL"`
	StaleFor    time.Duration `yaml:"staleFor"`
	NoHotCopies bool          `yaml:"noHotCopies"`
}

// Group returns what a group of a name is.
func (o OtherGroups) Group(name string) Group {
	return Group{Name: name, Kind: o.Kind, MaxBytes: o.MaxBytes, TTL: o.TTL, NotFoundTTL: o.NotFoundTTL, StaleFor: o.StaleFor, NoHotCopies: o.NoHotCopies}
}

// DefaultGroup returns what the default group is.
func (c *Config) DefaultGroup() Group {
	return Group{Name: c.Redis.Group, Kind: c.Kind, MaxBytes: c.MaxBytes, TTL: c.TTL, Replicas: c.Replicas, NotFoundTTL: c.NotFoundTTL, StaleFor: c.StaleFor}
}

// Default returns what holds where nothing else is said: a member for this machine alone.
func Default() Config {
	return Config{
		Listen:          "127.0.0.1:3000",
		JoinTimeout:     5 * time.Second,
		MaxValueBytes:   16 << 20,
		ShutdownTimeout: 30 * time.Second,
		Redis: Redis{
			Listen:       "127.0.0.1:6379",
			Group:        "default",
			MaxClients:   10000,
			MaxBuffered:  256 << 20,
			WriteTimeout: 30 * time.Second,
		},
		HTTP:        HTTP{Listen: "127.0.0.1:8080", Dashboard: "auto"},
		Log:         Log{Level: "info", Format: "text"},
		OtherGroups: OtherGroups{Most: 64, MaxBytes: 16 << 20},
	}
}
