package trapline.schemas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import trapline.engine.state.MachineState;

/// A machine's state to bytes and back.
class StateCodecTest {

    /// Wherever a session is left and taken up again, it ends in the same state.
    @ParameterizedTest
    @CsvSource({
        "nested-spec-ctrl, Icelake-Server",
        "nested-spec-ctrl, EPYC-Milan",
        "linux-6.1-tasks-2cpu, EPYC-Genoa",
        "linux-6.1-boot-1cpu, Skylake-Server"
    })
    void everyStateComesBackAndGoesOn(String guest, String cpu) {
        States states = States.of(guest, cpu);
        int every = Math.max(1, states.events().size() / 40);
        MachineState live = new MachineState(states.config());
        for (int at = 0; at < states.events().size(); at++) {
            live.apply(states.events().get(at));
            if (at % every == 0) {
                byte[] bytes = StateCodec.encode(live);
                MachineState back = StateCodec.decode(bytes, states.config());
                assertArrayEquals(bytes, StateCodec.encode(back));
                states.events().subList(at + 1, states.events().size()).forEach(back::apply);
                assertArrayEquals(StateCodec.encode(states.end()), StateCodec.encode(back));
            }
        }
        assertEquals(StateCodec.digest(states.end()), StateCodec.digest(live));
    }

    @Test
    void copiesDigestAlikeAndDifferAfterOneMoreEvent() {
        States states = States.of("nested-spec-ctrl", "EPYC-Genoa");
        MachineState live = new MachineState(states.config());
        Digest before = StateCodec.digest(live);
        for (var event : states.events()) {
            MachineState copy = live.copy();
            assertEquals(before, StateCodec.digest(copy));
            live.apply(event);
            assertEquals(before, StateCodec.digest(copy));
            Digest after = StateCodec.digest(live);
            assertNotEquals(before, after, event::toString);
            before = after;
        }
    }

    /// Bytes that are no state of this machine are refused, and never read as the one they were.
    @Test
    void damagedStatesAreRefusedOrOthers() {
        States states = States.of("nested-spec-ctrl", "Icelake-Server");
        byte[] intact = StateCodec.encode(states.end());
        int refused = 0;
        for (int at = 0; at < intact.length; at++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] damaged = intact.clone();
                damaged[at] ^= (byte) (1 << bit);
                try {
                    MachineState other = StateCodec.decode(damaged, states.config());
                    assertNotEquals(StateCodec.digest(states.end()), StateCodec.digest(other));
                } catch (WireException e) {
                    assertEquals(WireException.Kind.DAMAGED, e.kind());
                    refused++;
                }
            }
        }
        assertTrue(refused > 0);
    }

    @Test
    void statesCutShortAreRefused() {
        States states = States.of("linux-6.1-boot-1cpu", "EPYC-Milan");
        byte[] intact = StateCodec.encode(states.end());
        for (int length = 0; length < intact.length; length++) {
            byte[] cut = Arrays.copyOf(intact, length);
            assertThrows(WireException.class, () -> StateCodec.decode(cut, states.config()));
        }
    }

    @Test
    void anotherMachinesStateIsRefused() {
        States two = States.of("linux-6.1-tasks-2cpu", "EPYC-Milan");
        States one = States.of("linux-6.1-boot-1cpu", "EPYC-Milan");
        byte[] bytes = StateCodec.encode(two.end());
        assertThrows(WireException.class, () -> StateCodec.decode(bytes, one.config()));
    }
}
