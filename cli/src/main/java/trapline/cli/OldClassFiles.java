package trapline.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Raises the class files of a jar to a version that an AOT cache takes.
///
/// A cache leaves out what is older than Java 6, for want of stack maps. Picocli is compiled for
/// Java 5: without its 200 classes a cache saves half as much.
final class OldClassFiles {

    private static final ClassTransform RAISE =
            ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
                    .andThen(
                            ClassTransform.endHandler(
                                    builder -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0)));

    private final FileSystem jar;
    private final ClassFile classFile;

    private OldClassFiles(FileSystem jar) {
        this.jar = jar;
        ClassHierarchyResolver hierarchy =
                ClassHierarchyResolver.ofResourceParsing(this::open)
                        .orElse(ClassHierarchyResolver.defaultResolver());
        this.classFile =
                ClassFile.of(
                        ClassHierarchyResolverOption.of(hierarchy),
                        StackMapsOption.GENERATE_STACK_MAPS);
    }

    static void raise(Path jar) throws IOException {
        try (FileSystem files = FileSystems.newFileSystem(jar)) {
            new OldClassFiles(files).raiseAll();
        }
    }

    private void raiseAll() throws IOException {
        for (Path path : paths()) {
            ClassModel model = classFile.parse(Files.readAllBytes(path));
            if (model.majorVersion() < ClassFile.JAVA_6_VERSION) {
                Files.write(path, classFile.transformClass(model, RAISE));
            }
        }
    }

    private List<Path> paths() throws IOException {
        try (Stream<Path> files = Files.walk(jar.getPath("/"))) {
            return files.filter(file -> file.toString().endsWith(".class")).toList();
        }
    }

    private InputStream open(ClassDesc type) {
        String descriptor = type.descriptorString();
        Path path = jar.getPath(descriptor.substring(1, descriptor.length() - 1) + ".class");
        try {
            return Files.exists(path) ? Files.newInputStream(path) : null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
