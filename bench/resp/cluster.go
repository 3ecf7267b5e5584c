package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

const slots = 16384

// slotOf returns the slot of a key without braces, as
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ has it: CRC16 of XMODEM.
func slotOf(key string) int {
	crc := uint16(0)
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % slots
}

// dropMoved waits until the cluster serves, and drops keys that it has elsewhere: those at the borders.
func (l *load) dropMoved(ctx context.Context) error {
	for i := range l.places {
		p := &l.places[i]
		nc, err := net.Dial("tcp", p.addr)
		if err != nil {
			return err
		}
		defer nc.Close()
		answers := bufio.NewReader(nc)
		ask := func(key string) (string, error) {
			fmt.Fprintf(nc, "SET %s x\r\n", key)
			return answers.ReadString('\n')
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			said, err := ask(p.keys[0])
			if err != nil || ctx.Err() != nil || time.Now().After(end) {
				return fmt.Errorf("%s: the cluster serves nobody: %s %w", p.addr, said, err)
			}
			if !strings.HasPrefix(said, "-CLUSTERDOWN") {
				break
			}
		}
		p.keys = slices.DeleteFunc(p.keys, func(key string) bool {
			said, err := ask(key)
			return err != nil || said != "+OK\r\n"
		})
		if len(p.keys) < keys/4 {
			return fmt.Errorf("%s has %d keys only", p.addr, len(p.keys))
		}
	}
	return nil
}
