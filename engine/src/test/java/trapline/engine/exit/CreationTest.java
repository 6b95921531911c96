package trapline.engine.exit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import trapline.engine.Recording;
import trapline.engine.Trees;
import trapline.engine.VcpuScenario;
import trapline.engine.state.MsrBitmap;
import trapline.engine.table.Bits;
import trapline.engine.table.Msrs;

/// What KVM programs when a vCPU is made: the table of default controls, tree by tree.
class CreationTest {

    /// A vCPU just made: the program has no ops.
    private static Recording made(String cpu, String policy, String guestCpu) {
        return VcpuScenario.on(cpu).under(policy).guestCpu(guestCpu).run("- repeat: 0\n  do: []\n");
    }

    /// The names of the controls that are set, without those that the processor insists on.
    private static NavigableSet<String> controls(Recording recording, String group, String field) {
        NavigableSet<String> names = new TreeSet<>();
        long word = recording.field(1, field);
        for (var control : Bits.controls(group).entrySet()) {
            if ((word & control.getValue()) != 0) {
                names.add(control.getKey());
            }
        }
        return names;
    }

    private static NavigableSet<String> set(String prefix, String names) {
        NavigableSet<String> set = new TreeSet<>();
        Arrays.stream(names.split("[ \\n]+")).map(name -> prefix + name).forEach(set::add);
        return set;
    }

    @ParameterizedTest
    @ValueSource(strings = {"Broadwell", "Skylake-Server", "Icelake-Server", "SapphireRapids"})
    void pinBasedControls(String cpu) {
        for (String policy : Trees.of("all")) {
            assertEquals(
                    set(
                            "PIN_BASED_",
                            "EXT_INTR_MASK NMI_EXITING VIRTUAL_NMIS VMX_PREEMPTION_TIMER"),
                    controls(made(cpu, policy, "{}"), "pin", "PIN_BASED_VM_EXEC_CONTROL"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Broadwell, all, false",
        "Icelake-Server, all, false",
        "SapphireRapids, 5.4-5.15, false",
        "SapphireRapids, 6.1+, true"
    })
    void primaryControls(String cpu, String trees, boolean tertiary) {
        NavigableSet<String> expected =
                set(
                        "CPU_BASED_",
                        "USE_TSC_OFFSETTING HLT_EXITING MWAIT_EXITING RDPMC_EXITING TPR_SHADOW MOV_DR_EXITING "
                                + "UNCOND_IO_EXITING USE_MSR_BITMAPS MONITOR_EXITING ACTIVATE_SECONDARY_CONTROLS"
                                + (tertiary ? " ACTIVATE_TERTIARY_CONTROLS" : ""));
        for (String policy : Trees.of(trees)) {
            assertEquals(
                    expected,
                    controls(made(cpu, policy, "{}"), "primary", "CPU_BASED_VM_EXEC_CONTROL"));
            assertEquals(0, made(cpu, policy, "{}").field(1, "TERTIARY_VM_EXEC_CONTROL"));
        }
    }

    private static final String SECONDARY =
            "VIRTUALIZE_APIC_ACCESSES ENABLE_EPT ENABLE_RDTSCP ENABLE_VPID WBINVD_EXITING UNRESTRICTED_GUEST "
                    + "PAUSE_LOOP_EXITING ENABLE_INVPCID";

    @ParameterizedTest
    @CsvSource({
        // VMFUNC to 6.1, PML in 5.4, where the hardware has them.
        "Broadwell, {}, 5.4, ' ENABLE_VMFUNC ENABLE_PML'",
        "Broadwell, {}, 5.15-6.1, ' ENABLE_VMFUNC'",
        "Broadwell, {}, 6.6+, ''",
        "Icelake-Server, {}, 5.4, ' ENABLE_VMFUNC ENABLE_PML ENCLS_EXITING ENABLE_XSAVES TSC_SCALING'",
        "Icelake-Server, {}, 5.15-6.1, ' ENABLE_VMFUNC ENCLS_EXITING ENABLE_XSAVES TSC_SCALING'",
        "Icelake-Server, {}, 6.6+, ' ENCLS_EXITING ENABLE_XSAVES TSC_SCALING'",
        "SapphireRapids, {}, 6.6+, ' ENCLS_EXITING ENABLE_XSAVES TSC_SCALING ENABLE_USR_WAIT_PAUSE'",
        "SapphireRapids, {waitpkg: false}, 6.6+, ' ENCLS_EXITING ENABLE_XSAVES TSC_SCALING'",
        // By the guest's CPUID.
        "Broadwell, {rdrand: false}, 6.6+, ' RDRAND_EXITING'",
        "Broadwell, {rdseed: false}, 6.6+, ' RDSEED_EXITING'",
        "Icelake-Server, {xsaves: false}, 6.6+, ' ENCLS_EXITING TSC_SCALING'",
        "Icelake-Server, {xsave: false}, 5.4, ' ENABLE_VMFUNC ENABLE_PML ENCLS_EXITING TSC_SCALING'",
        "Icelake-Server, {xsave: false}, 6.6+, ' ENCLS_EXITING ENABLE_XSAVES TSC_SCALING'"
    })
    void secondaryControls(String cpu, String guestCpu, String trees, String more) {
        for (String policy : Trees.of(trees)) {
            assertEquals(
                    set("SECONDARY_EXEC_", SECONDARY + more),
                    controls(made(cpu, policy, guestCpu), "secondary", "SECONDARY_VM_EXEC_CONTROL"),
                    policy);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "{rdtscp: false}, all, ENABLE_RDTSCP",
        "{invpcid: false}, all, ENABLE_INVPCID",
        "{pcid: false}, 5.4, ENABLE_INVPCID"
    })
    void secondaryControlsThatTheGuestLacks(String guestCpu, String trees, String missing) {
        for (String policy : Trees.of(trees)) {
            NavigableSet<String> with =
                    controls(
                            made("Broadwell", policy, "{}"),
                            "secondary",
                            "SECONDARY_VM_EXEC_CONTROL");
            NavigableSet<String> without =
                    controls(
                            made("Broadwell", policy, guestCpu),
                            "secondary",
                            "SECONDARY_VM_EXEC_CONTROL");
            with.removeAll(without);
            assertEquals(set("SECONDARY_EXEC_", missing), with, policy);
        }
    }

    /// CET since 6.18, where the hardware has it; BNDCFGS where it has MPX. IA-32e mode follows the guest.
    @ParameterizedTest
    @CsvSource({
        "Broadwell, all, '', ''",
        "Skylake-Server, all, ' LOAD_BNDCFGS', ' CLEAR_BNDCFGS'",
        "Icelake-Server, all, '', ''",
        "SapphireRapids, 5.4-6.12, '', ''",
        "SapphireRapids, 6.18+, ' LOAD_CET_STATE', ' LOAD_CET_STATE'"
    })
    void entryAndExitControls(String cpu, String trees, String entry, String exit) {
        for (String policy : Trees.of(trees)) {
            Recording recording = made(cpu, policy, "{}");
            NavigableSet<String> entryControls =
                    controls(recording, "vm-entry", "VM_ENTRY_CONTROLS");
            assertEquals(
                    set("VM_ENTRY_", "LOAD_DEBUG_CONTROLS IA32E_MODE LOAD_IA32_PAT" + entry),
                    entryControls,
                    policy);
            assertEquals(
                    set(
                            "VM_EXIT_",
                            "SAVE_DEBUG_CONTROLS HOST_ADDR_SPACE_SIZE ACK_INTR_ON_EXIT LOAD_IA32_PAT"
                                    + exit),
                    controls(recording, "vm-exit", "VM_EXIT_CONTROLS"),
                    policy);
        }
    }

    /// #DB, #UD, #AC, #MC; TS, and WP since 6.1, are the guest's; of CR4 PVI TSD DE PGE PCE OSFXSR OSXMMEXCPT, LA57 in 5.4
    /// only, FSGSBASE since 5.15, and CET since 6.18 for a guest that has it.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, {}, 5.4, 0x8, 0x178e",
        "Icelake-Server, {}, 5.15, 0x8, 0x1078e",
        "Icelake-Server, {}, 6.1-6.12, 0x10008, 0x1078e",
        "Icelake-Server, {}, 6.18+, 0x10008, 0x1078e",
        "Icelake-Server, {fsgsbase: false}, 5.15, 0x8, 0x78e",
        "SapphireRapids, {}, 6.18+, 0x10008, 0x81078e",
        "SapphireRapids, '{shstk: false, ibt: false}', 6.18+, 0x10008, 0x1078e",
        "SapphireRapids, {shstk: true}, 6.12, 0x10008, 0x1078e"
    })
    void masks(String cpu, String guestCpu, String trees, String cr0, String cr4) {
        for (String policy : Trees.of(trees)) {
            Recording recording = made(cpu, policy, guestCpu);
            assertEquals(0x60042, recording.field(1, "EXCEPTION_BITMAP"));
            assertEquals(~Long.decode(cr0), recording.field(1, "CR0_GUEST_HOST_MASK"), policy);
            assertEquals(~Long.decode(cr4), recording.field(1, "CR4_GUEST_HOST_MASK"), policy);
        }
    }

    @Test
    void vmxParameters() {
        Recording recording = made("Icelake-Server", "kvm-6.1", "{}");
        assertEquals(128, recording.field(1, "PLE_GAP"));
        assertEquals(4096, recording.field(1, "PLE_WINDOW"));
        assertEquals(0, recording.field(1, "XSS_EXIT_BITMAP"));
        assertEquals(-1, recording.field(1, "VMCS_LINK_POINTER"));
        assertEquals(1, recording.field(1, "VIRTUAL_PROCESSOR_ID"));
        assertEquals(0x8005_0033L, recording.field(1, "CR0_READ_SHADOW"));
        // VMXE is on in the hardware, and hidden.
        assertEquals(0x4_26a0L, recording.field(1, "GUEST_CR4"));
        assertEquals(0x4_06a0L, recording.field(1, "CR4_READ_SHADOW"));
    }

    private static final String INTERCEPTS =
            "CR4_READ CR4_WRITE INTR NMI SMI SELECTIVE_CR0 RDPMC CPUID RSM INVD PAUSE INVLPGA IOIO_PROT MSR_PROT "
                    + "TASK_SWITCH SHUTDOWN VMRUN VMMCALL SKINIT WBINVD MONITOR MWAIT XSETBV RDPRU";

    private static final String DEBUG =
            " DR0_READ DR1_READ DR2_READ DR3_READ DR4_READ DR5_READ DR6_READ DR7_READ DR0_WRITE DR1_WRITE DR2_WRITE "
                    + "DR3_WRITE DR4_WRITE DR5_WRITE DR6_WRITE DR7_WRITE";

    @ParameterizedTest
    @CsvSource({
        "EPYC, {}, 5.4-6.18, ' HLT'",
        "EPYC, {}, 7.1, ' HLT VMLOAD VMSAVE STGI CLGI'",
        "EPYC-Milan, {}, 5.4-6.18, ' HLT'",
        "EPYC-Milan, {}, 7.1, ' HLT VMLOAD VMSAVE STGI CLGI'",
        "'EPYC-Milan,vgif=false', {}, 5.4-6.18, ' HLT STGI CLGI'",
        "'EPYC-Milan,v-vmsave-vmload=false', {}, 5.4-6.18, ' HLT VMLOAD VMSAVE'",
        "EPYC-Turin, {}, 5.4-6.12, ' HLT'",
        "EPYC-Turin, {}, 6.18, ' IDLE_HLT'",
        // Hidden instructions, where the host has them; 5.4 never.
        "EPYC-Milan, {rdtscp: false}, 5.4, ' HLT'",
        "EPYC-Milan, {rdtscp: false}, 5.15-6.18, ' HLT RDTSCP'",
        "EPYC-Milan, {invpcid: false}, 5.4, ' HLT'",
        "EPYC-Milan, {invpcid: false}, 5.15-6.18, ' HLT INVPCID'",
        "EPYC-Rome, {}, 5.15-6.18, ' HLT'"
    })
    void svmIntercepts(String cpu, String guestCpu, String trees, String more) {
        for (String policy : Trees.of(trees)) {
            Recording recording = made(cpu, policy, guestCpu);
            NavigableSet<String> names = new TreeSet<>();
            for (String name : Bits.interceptNames()) {
                Bits.Intercept intercept = Bits.intercept(name);
                if (name.contains("EXCEPTION")) {
                    continue;
                }
                long word = recording.field(1, "intercepts" + intercept.offset() / 4);
                if ((word & intercept.mask()) != 0) {
                    names.add(name);
                }
            }
            assertEquals(set("INTERCEPT_", INTERCEPTS + DEBUG + more), names, policy);
            // #DB, #UD, #AC, #MC.
            assertEquals(0x60042, recording.field(1, "intercepts2"));
        }
    }

    @Test
    void pauseNeedsItsFilter() {
        Recording recording = made("EPYC-Milan,pause-filter=false", "kvm-6.1", "{}");
        assertEquals(
                0, recording.field(1, "intercepts3") & Bits.intercept("INTERCEPT_PAUSE").mask());
        assertEquals(0, recording.field(1, "pause_filter_count"));
    }

    /// V_INTR_MASKING, V_GIF_ENABLE with VGIF, V_NMI_ENABLE with VNMI and VGIF since 6.6; nested paging, virtual VMLOAD.
    @ParameterizedTest
    @CsvSource({
        "EPYC-Milan, all, 0x3000000",
        "'EPYC-Milan,vgif=false', all, 0x1000000",
        "EPYC-Genoa, 5.4-6.1, 0x3000000",
        "EPYC-Genoa, 6.6+, 0x7000000",
        "'EPYC-Genoa,vgif=false', 6.6+, 0x1000000"
    })
    void svmControlFields(String cpu, String trees, String control) {
        for (String policy : Trees.of(trees)) {
            Recording recording = made(cpu, policy, "{}");
            assertEquals(Long.decode(control), recording.field(1, "int_ctl"), policy);
            assertEquals(1, recording.field(1, "misc_ctl"));
            assertEquals(2, recording.field(1, "misc_ctl2"));
            assertEquals(3000, recording.field(1, "pause_filter_count"));
            assertEquals(128, recording.field(1, "pause_filter_thresh"));
            assertEquals(0x1d01, recording.field(1, "efer"));
        }
    }

    private static NavigableSet<String> passed(MsrBitmap bitmap) {
        NavigableSet<String> passed = new TreeSet<>();
        for (int base : new int[] {0, 0xc000_0000, 0xc001_0000}) {
            for (int msr = base; msr < base + 0x2000; msr++) {
                boolean read = !bitmap.exits(msr, false);
                boolean write = !bitmap.exits(msr, true);
                if (read || write) {
                    passed.add(Msrs.name(msr) + ":" + (read ? "r" : "") + (write ? "w" : ""));
                }
            }
        }
        return passed;
    }

    /// What is passed through from the start, access by access, and nothing else.
    @ParameterizedTest
    @CsvSource({
        "Icelake-Server, {}, 5.4-6.1, ''",
        "Icelake-Server, {}, 6.6+, IA32_PRED_CMD:w IA32_FLUSH_CMD:w",
        "Icelake-Server, {flush-l1d: false}, 6.6+, IA32_PRED_CMD:w",
        "Icelake-Server, '{spec-ctrl: false, ibpb: false, flush-l1d: false}', 6.6+, ''"
    })
    void vmxPassThrough(String cpu, String guestCpu, String trees, String more) {
        String always =
                "IA32_TSC:r FS_BASE:rw GS_BASE:rw KERNEL_GS_BASE:rw IA32_SYSENTER_CS:rw IA32_SYSENTER_ESP:rw "
                        + "IA32_SYSENTER_EIP:rw";
        NavigableSet<String> expected = set("", always);
        if (!more.isEmpty()) {
            expected.addAll(List.of(more.split(" ")));
        }
        for (String policy : Trees.of(trees)) {
            assertEquals(expected, passed(made(cpu, policy, guestCpu).vcpu().bitmap(1)), policy);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'EPYC-Rome,v-spec-ctrl=false', {}, 5.4, ''",
        "'EPYC-Rome,v-spec-ctrl=false', {}, 5.15-6.1, IA32_SYSENTER_ESP:rw IA32_SYSENTER_EIP:rw",
        "'EPYC-Rome,v-spec-ctrl=false', {}, 6.6+, IA32_SYSENTER_ESP:rw IA32_SYSENTER_EIP:rw IA32_PRED_CMD:w",
        "EPYC-Rome, {}, 5.4, ''",
        "EPYC-Rome, {}, 5.15-6.1, IA32_SYSENTER_ESP:rw IA32_SYSENTER_EIP:rw IA32_SPEC_CTRL:rw",
        "EPYC-Rome, {}, 6.6+, IA32_SYSENTER_ESP:rw IA32_SYSENTER_EIP:rw IA32_SPEC_CTRL:rw IA32_PRED_CMD:w"
    })
    void svmPassThrough(String cpu, String guestCpu, String trees, String more) {
        NavigableSet<String> expected =
                set(
                        "",
                        "STAR:rw LSTAR:rw CSTAR:rw SYSCALL_MASK:rw FS_BASE:rw GS_BASE:rw KERNEL_GS_BASE:rw "
                                + "IA32_SYSENTER_CS:rw");
        if (!more.isEmpty()) {
            expected.addAll(List.of(more.split(" ")));
        }
        for (String policy : Trees.of(trees)) {
            assertEquals(expected, passed(made(cpu, policy, guestCpu).vcpu().bitmap(1)), policy);
        }
    }
}
