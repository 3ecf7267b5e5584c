package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.Calendar;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;

import tools.jackson.databind.DatabindContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.jsontype.PolymorphicTypeValidator;

/**
 * Says which classes may be made of what is read: those of the application's packages, and those of java.* that hold
 * data. Others of Java do things when they are made: they open files, start threads, ask name servers.
 */
final class DataTypes extends PolymorphicTypeValidator.Base {

    private static final long serialVersionUID = 1L;

    private static final Set<String> JAVA = Set.of("java.lang.Boolean", "java.lang.Byte", "java.lang.Character",
            "java.lang.Double", "java.lang.Float", "java.lang.Integer", "java.lang.Long", "java.lang.Short",
            "java.lang.String", "java.lang.Object", "java.lang.Enum", "java.lang.Number", "java.net.URI",
            "java.util.BitSet", "java.util.Currency", "java.util.Date", "java.util.Locale", "java.util.Optional",
            "java.util.OptionalDouble", "java.util.OptionalInt", "java.util.OptionalLong", "java.util.UUID",
            "java.util.concurrent.atomic.AtomicBoolean", "java.util.concurrent.atomic.AtomicInteger",
            "java.util.concurrent.atomic.AtomicLong", "java.util.regex.Pattern");

    private final List<String> prefixes;

    DataTypes(Collection<String> packages) {
        this.prefixes = packages.stream().map((name) -> name + ".").toList();
    }

    @Override
    public Validity validateSubClassName(DatabindContext context, JavaType base, String name) {
        String element = name.replaceFirst("^\\[+L?", "");
        if (this.prefixes.stream().anyMatch(element::startsWith)) {
            return Validity.ALLOWED;
        }
        return (name.startsWith("[") || name.startsWith("java.")) ? Validity.INDETERMINATE : Validity.DENIED;
    }

    @Override
    public Validity validateSubType(DatabindContext context, JavaType base, JavaType subType) {
        return good(subType.getRawClass()) ? Validity.ALLOWED : Validity.DENIED;
    }

    private boolean good(Class<?> type) {
        while (type.isArray()) {
            type = type.getComponentType();
        }
        String name = type.getName();
        if (type.isPrimitive() || JAVA.contains(name) || this.prefixes.stream().anyMatch(name::startsWith)) {
            return true;
        }
        return switch (type.getPackageName()) {
            case "java.time", "java.time.chrono", "java.math" -> true;
            case "java.sql" -> java.util.Date.class.isAssignableFrom(type);
            case "java.util", "java.util.concurrent" -> Collection.class.isAssignableFrom(type)
                    || Map.class.isAssignableFrom(type) || Map.Entry.class.isAssignableFrom(type)
                    || Calendar.class.isAssignableFrom(type) || TimeZone.class.isAssignableFrom(type);
            default -> false;
        };
    }
}
