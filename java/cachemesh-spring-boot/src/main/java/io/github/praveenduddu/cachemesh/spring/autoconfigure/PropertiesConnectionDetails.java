package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.client.MemberAddress;
import org.jspecify.annotations.Nullable;

/** The member that {@code cachemesh.client.address} names. */
final class PropertiesConnectionDetails implements CacheMeshConnectionDetails {

    private static final String UNIX = "unix:";

    private final MemberAddress address;

    PropertiesConnectionDetails(CacheMeshProperties.Client client) {
        this.address = parse(client.address(), client.password());
    }

    private static MemberAddress parse(@Nullable String address, @Nullable String password) {
        if (address == null || address.isBlank()) {
            throw new InvalidAddressException("cachemesh.member.mode is external, but cachemesh.client.address does not "
                    + "say where the member is.");
        }
        if (address.startsWith(UNIX) && address.length() > UNIX.length()) {
            return MemberAddress.ofSocket(address.substring(UNIX.length()), password);
        }
        int colon = address.lastIndexOf(':');
        try {
            String host = address.substring(0, Math.max(0, colon));
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            if (!host.isEmpty()) {
                return MemberAddress.of(host, Integer.parseInt(address.substring(colon + 1)), password);
            }
        }
        catch (IllegalArgumentException ex) {
            // said below
        }
        throw new InvalidAddressException("cachemesh.client.address is \"" + address + "\", which is neither host:port nor "
                + "unix:/path.");
    }

    @Override
    public MemberAddress getAddress() {
        return this.address;
    }
}
