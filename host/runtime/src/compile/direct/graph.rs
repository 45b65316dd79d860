//! What a component is put together from: modules, the functions that are passed
//! between them, and what it imports and exports. Only reading; nothing is
//! checked here, since whatever comes of it is compiled by the engine, which
//! does.

use wasmparser::{
    BinaryReader, BinaryReaderError, CanonicalFunction, CanonicalOption, ComponentAlias,
    ComponentAliasSectionReader, ComponentCanonicalSectionReader, ComponentDefinedType,
    ComponentExportSectionReader, ComponentExternalKind, ComponentImportSectionReader,
    ComponentInstance, ComponentInstanceSectionReader, ComponentType, ComponentTypeRef,
    ComponentTypeSectionReader, ExternalKind, Instance, InstanceSectionReader,
};

use super::super::pieces::section::{Section, sections};
use crate::compile::pieces::Unreadable;

/// Sections of a component (component model, Binary.md).
const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;
const COMPONENT: u8 = 4;
const INSTANCE: u8 = 5;
const ALIAS: u8 = 6;
const TYPE: u8 = 7;
const CANON: u8 = 8;
const START: u8 = 9;
const IMPORT: u8 = 10;
const EXPORT: u8 = 11;

/// An export of a numbered instance.
pub(super) type Of<'a> = (u32, &'a str);

/// A function between modules.
pub(super) enum CoreFunction<'a> {
    Canonical(CanonicalFunction),
    OfInstance(Of<'a>),
}

/// A function of the component model.
pub(super) enum Function<'a> {
    /// Of an instance of this component.
    OfInstance(Of<'a>),
    Lifted {
        function: u32,
        options: Box<[CanonicalOption]>,
    },
    /// Another name of one.
    Same(u32),
    Imported(&'a str),
}

/// An instance of the component model.
pub(super) enum ComponentPart<'a> {
    Imported(&'a str),
    Made(ComponentInstance<'a>),
    /// Another name of one.
    Same(u32),
    Other,
}

/// A type of the component model.
pub(super) enum Type<'a> {
    OfInstance(Of<'a>),
    Defined(ComponentDefinedType<'a>),
    /// Another name of one.
    Same(u32),
    Other,
}

/// The parts of a component, by their numbers.
#[derive(Default)]
pub(super) struct Graph<'a> {
    /// Modules that are in the component itself, and others.
    pub(super) modules: Vec<Option<&'a [u8]>>,
    pub(super) instances: Vec<Instance<'a>>,
    pub(super) core_functions: Vec<CoreFunction<'a>>,
    pub(super) memories: Vec<Of<'a>>,
    pub(super) tables: Vec<Of<'a>>,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) parts: Vec<ComponentPart<'a>>,
    pub(super) types: Vec<Type<'a>>,
    pub(super) components: Vec<Option<&'a [u8]>>,
    pub(super) exports: Vec<(&'a str, ComponentExternalKind, u32)>,
    /// Something is called when an instance is made.
    pub(super) starts: bool,
}

impl<'a> Graph<'a> {
    /// Reads the sections behind a component's header.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut graph = Self::default();
        for section in sections(bytes) {
            let Section { id, content } = section?;
            graph.add(id, content)?;
        }
        Ok(graph)
    }

    fn add(&mut self, id: u8, content: &'a [u8]) -> Result<(), BinaryReaderError> {
        let reader = BinaryReader::new(content, 0);
        match id {
            CORE_MODULE => self.modules.push(Some(content)),
            COMPONENT => self.components.push(Some(content)),
            CORE_INSTANCE => {
                for instance in InstanceSectionReader::new(reader)? {
                    self.instances.push(instance?);
                }
            }
            INSTANCE => {
                for part in ComponentInstanceSectionReader::new(reader)? {
                    self.parts.push(ComponentPart::Made(part?));
                }
            }
            ALIAS => {
                for alias in ComponentAliasSectionReader::new(reader)? {
                    self.alias(alias?);
                }
            }
            TYPE => {
                for kind in ComponentTypeSectionReader::new(reader)? {
                    self.types.push(match kind? {
                        ComponentType::Defined(kind) => Type::Defined(kind),
                        _ => Type::Other,
                    });
                }
            }
            CANON => {
                for function in ComponentCanonicalSectionReader::new(reader)? {
                    self.canonical(function?);
                }
            }
            IMPORT => {
                for import in ComponentImportSectionReader::new(reader)? {
                    let import = import?;
                    self.import(import.name.name, import.ty);
                }
            }
            EXPORT => {
                for export in ComponentExportSectionReader::new(reader)? {
                    let export = export?;
                    self.export(export.name.name, export.kind, export.index);
                }
            }
            START => self.starts = true,
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'a>) {
        use wasmparser::ComponentOuterAliasKind as Outer;
        match alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => {
                let of = (instance_index, name);
                match kind {
                    ComponentExternalKind::Module => self.modules.push(None),
                    ComponentExternalKind::Func => self.functions.push(Function::OfInstance(of)),
                    ComponentExternalKind::Value => {}
                    ComponentExternalKind::Type => self.types.push(Type::OfInstance(of)),
                    ComponentExternalKind::Instance => self.parts.push(ComponentPart::Other),
                    ComponentExternalKind::Component => self.components.push(None),
                }
            }
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } => {
                let of = (instance_index, name);
                match kind {
                    ExternalKind::Func | ExternalKind::FuncExact => {
                        self.core_functions.push(CoreFunction::OfInstance(of));
                    }
                    ExternalKind::Memory => self.memories.push(of),
                    ExternalKind::Table => self.tables.push(of),
                    ExternalKind::Global | ExternalKind::Tag => {}
                }
            }
            ComponentAlias::Outer { kind, .. } => match kind {
                Outer::CoreModule => self.modules.push(None),
                Outer::CoreType => {}
                Outer::Type => self.types.push(Type::Other),
                Outer::Component => self.components.push(None),
            },
        }
    }

    fn canonical(&mut self, function: CanonicalFunction) {
        match function {
            CanonicalFunction::Lift {
                core_func_index: function,
                options,
                ..
            } => self.functions.push(Function::Lifted { function, options }),
            other => self.core_functions.push(CoreFunction::Canonical(other)),
        }
    }

    fn import(&mut self, name: &'a str, kind: ComponentTypeRef) {
        match kind {
            ComponentTypeRef::Module(_) => self.modules.push(None),
            ComponentTypeRef::Func(_) => self.functions.push(Function::Imported(name)),
            ComponentTypeRef::Value(_) => {}
            ComponentTypeRef::Type(_) => self.types.push(Type::Other),
            ComponentTypeRef::Instance(_) => self.parts.push(ComponentPart::Imported(name)),
            ComponentTypeRef::Component(_) => self.components.push(None),
        }
    }

    fn export(&mut self, name: &'a str, kind: ComponentExternalKind, index: u32) {
        self.exports.push((name, kind, index));
        // What is exported has a number of its own from then on.
        match kind {
            ComponentExternalKind::Module => {
                let module = self.modules.get(index as usize).copied().flatten();
                self.modules.push(module);
            }
            ComponentExternalKind::Func => self.functions.push(Function::Same(index)),
            ComponentExternalKind::Value => {}
            ComponentExternalKind::Type => self.types.push(Type::Same(index)),
            ComponentExternalKind::Instance => self.parts.push(ComponentPart::Same(index)),
            ComponentExternalKind::Component => self.components.push(None),
        }
    }

    /// A function by its number, whatever name it goes by.
    pub(super) fn function(&self, index: u32) -> Option<&Function<'a>> {
        original(&self.functions, index, |function| match function {
            Function::Same(other) => Some(*other),
            _ => None,
        })
    }

    /// A type by its number, whatever name it goes by.
    pub(super) fn kind(&self, index: u32) -> Option<&Type<'a>> {
        original(&self.types, index, |kind| match kind {
            Type::Same(other) => Some(*other),
            _ => None,
        })
    }

    /// An instance by its number, whatever name it goes by.
    pub(super) fn part(&self, index: u32) -> Option<&ComponentPart<'a>> {
        original(&self.parts, index, |part| match part {
            ComponentPart::Same(other) => Some(*other),
            _ => None,
        })
    }
}

/// What has this number, or what that is another name of. Names come behind what they
/// are for.
fn original<T>(items: &[T], mut index: u32, same: impl Fn(&T) -> Option<u32>) -> Option<&T> {
    loop {
        let item = items.get(index as usize)?;
        match same(item) {
            Some(other) if other < index => index = other,
            Some(_) => return None,
            None => return Some(item),
        }
    }
}
