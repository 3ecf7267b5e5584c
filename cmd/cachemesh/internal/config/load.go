package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file of settings or a secret, in bytes.
const maxFile = 1 << 20

// Load puts a configuration together: flags before the environment before the YAML file
// before defaults. getenv is os.LookupEnv, or a test's own. It checks what it returns.
func Load(flags *pflag.FlagSet, getenv func(string) (string, bool)) (Config, error) {
	c := Default()
	file, _ := getenv("CACHEMESH_CONFIG")
	if f := flags.Lookup("config"); f != nil && f.Changed {
		file = f.Value.String()
	}
	if file != "" {
		if err := c.readYAML(file); err != nil {
			return c, err
		}
	}
	for _, s := range settings {
		text, ok := getenv(s.env())
		if !ok || text == "" {
			continue
		}
		if err := s.set(&c, text); err != nil {
			return c, fmt.Errorf("%s: %w", s.env(), err)
		}
		c.oneSource(s)
	}
	for _, s := range settings {
		if f := flags.Lookup(s.flag); f != nil && f.Changed {
			if err := s.set(&c, f.Value.String()); err != nil {
				return c, fmt.Errorf("--%s: %w", s.flag, err)
			}
			c.oneSource(s)
		}
	}
	if err := c.readSecrets(); err != nil {
		return c, err
	}
	return c, c.Check()
}

// secrets are the settings that a file may hold, each with the setting of the file.
func (c *Config) secrets() map[string][2]*string {
	return map[string][2]*string{
		"secret":         {&c.Secret, &c.SecretFile},
		"redis-password": {&c.Redis.Password, &c.Redis.PasswordFile},
		"http-token":     {&c.HTTP.Token, &c.HTTP.TokenFile},
	}
}

// oneSource lets a secret that was just set take the place of what came before it from a
// file, and the other way round. If the environment has both, the file counts.
func (c *Config) oneSource(s setting) {
	name, fromFile := strings.CutSuffix(s.flag, "-file")
	both, ok := c.secrets()[name]
	switch {
	case !ok:
	case fromFile:
		*both[0] = ""
	default:
		*both[1] = ""
	}
}

// readSecrets reads the files of secrets.
func (c *Config) readSecrets() error {
	for name, both := range c.secrets() {
		if *both[1] == "" {
			continue
		}
		if *both[0] != "" {
			return fmt.Errorf("%s is given twice, by itself and by a file", name)
		}
		text, err := ReadSecret(*both[1])
		if err != nil {
			return fmt.Errorf("%s-file: %w", name, err)
		}
		*both[0] = text
	}
	return nil
}

// AcceptSecrets reads the secrets that are accepted besides the member's own.
func (c *Config) AcceptSecrets() (secrets [][]byte, err error) {
	for _, file := range c.AcceptSecretFiles {
		text, err := ReadSecret(file)
		if err != nil {
			return nil, fmt.Errorf("accept-secret-files: %w", err)
		}
		secrets = append(secrets, []byte(text))
	}
	return secrets, nil
}

// ReadSecret reads a file without the line end at its end. An empty one is an error, or a
// file that was not written yet would mean "no password".
func ReadSecret(file string) (string, error) {
	data, err := readFile(file)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return text, nil
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %v", file, Size(maxFile))
	}
	return data, err
}

// readYAML reads a file over what c has. A name that it does not know is an error.
func (c *Config) readYAML(file string) error {
	data, err := readFile(file)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %s", file, inWords(err))
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document", file)
	}
	return nil
}

// inWords returns what is wrong with a file without the names of Go's types.
func inWords(err error) string {
	return words.Replace(ofTypes.ReplaceAllString(err.Error(), ""))
}

var (
	ofTypes = regexp.MustCompile(` (in type|into) (\[\])?config\.\w+`)
	words   = strings.NewReplacer("into time.Duration", "into a time such as 90s", "!!seq", "a list", "!!map", "a map", "!!int ", "the number ", "!!str ", "the text ")
)

// WithoutSecrets returns c to be shown: what it has of secrets is "(set)".
func (c Config) WithoutSecrets() Config {
	for _, both := range c.secrets() {
		if *both[0] != "" {
			*both[0] = "(set)"
		}
	}
	return c
}
